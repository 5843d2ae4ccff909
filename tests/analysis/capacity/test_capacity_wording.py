from levels_by_hand import P99, level, record
from made_by_hand import manifest_of
from test_answer import CONFIRMED

from analysis.capacity.answer import answer
from analysis.capacity.wording import level_rows, searched_text, sentences, text_lines


def found_of(*levels, payloads=(), **changes):
    one = record(*levels, **changes)
    manifest = manifest_of(payloads=list(payloads)) if payloads else manifest_of()
    return {**one.as_json(), "answer": answer(one, manifest)}


def test_levels_come_by_rate_with_what_they_missed():
    rows = level_rows(found_of(*CONFIRMED))

    assert [row.rate_per_s for row in rows] == sorted(each.rate_per_s for each in CONFIRMED)
    assert (rows[-1].result, rows[-1].note) == ("MISSED", f"{P99}: 40 % beyond it")
    assert rows[0].in_flight == "0.5 (2.5)"


def test_a_spoiled_level_says_why():
    (row,) = level_rows(found_of(level(50.0, beyond=900, spoiled="1 % left late")))

    assert (row.result, row.note) == ("spoiled", "1 % left late")


def test_a_level_without_an_answer_has_no_figures():
    empty = level(50.0, n=0, latency={}, mean_s=0.0, in_flight=None, finished_per_s=None, outcomes={})
    (row,) = level_rows(found_of(empty))

    assert {row.ok, row.p50, row.p99, row.failed, row.in_flight} == {"-"}


def test_the_sentences_are_of_what_was_seen():
    bodies = [{"name": "a", "count": 4, "skipped": 0, "over_limit": 1}]
    text = " ".join(sentences(found_of(*CONFIRMED, payloads=bodies)))

    assert "Held on its own at 285/s for 40 s" in text
    assert "Latency gave way first" in text
    assert "25 % of the bodies are over the limit of 12 MiB" in text
    assert "None of 10,000 requests near that rate crossed the time limit of 40 s" in text
    assert "this generator holds 10,000, which is too few" in text


def test_the_terminal_has_the_answer_the_plan_and_the_levels():
    text = "\n".join(text_lines(found_of(*CONFIRMED, target_per_s=1000.0)))

    assert text.startswith("The service carries ")
    assert "1,000/s needs 5 instances." in text
    assert text.splitlines()[-len(CONFIRMED)].strip().startswith("50/s")


def test_an_earlier_run_is_named():
    assert searched_text(found_of(*CONFIRMED, resumed="monday", resumed_levels=4)) == (
        "9 levels, the first 4 of them in monday, of rates from 50/s to at most 10,000/s, in 450 s where about 600 s"
        " were given."
    )
