import json
import resource

import pytest
from made_by_hand import failure

from analysis import report
from analysis.choices import Choices
from analysis.errors import BadRun
from analysis.report import exit_code, text_table

STEERING = "\x1b[2J\x00a\u202eb\r\nc"  # clears a terminal, turns letters around, breaks a line
ROWS = [
    (0, "json", "ok", "response", 102_400, 400),
    (0, "json", "ok", "service", 100_000, 400),
    (0, "json", "gateway_timeout", "response", 40_000_000, 1),
]
GATEWAY = {"name": "modelarts", "timeout_s": 40.0, "grace_s": 5.0, "body_limit_bytes": 12582912}
TIMEOUT = failure("gateway_timeout", 1, "gateway", "backend timeout", 504, "ModelArts.4503", "Timed out.")


def write_report(run_dir, plots=True):
    return report.write_report([run_dir], plots=plots)[1]


def pictures(folder):
    return {path.name for path in folder.glob("*.png")}


def test_a_report_is_written_beside_the_run(make_run):
    run = make_run(ROWS)
    before = {path.name for path in run.iterdir()}
    summary = write_report(run)
    made = {path.name for path in run.iterdir()} - before

    assert made - pictures(run) == {"summary.json", "report.md", "report.html"}
    assert "percentiles.png" in made
    assert json.loads((run / "summary.json").read_text()) == summary


def test_every_picture_is_a_file_that_the_markdown_page_shows(make_run):
    run = make_run(ROWS)
    write_report(run)
    page = (run / "report.md").read_text()

    assert pictures(run)
    assert all(f"]({name})\n" in page for name in pictures(run))
    assert page.count(".png") == len(pictures(run))


def test_a_report_is_about_what_was_chosen(make_run):
    choices = Choices(confidence=0.9, percentiles={"p25": Choices().percentiles["p50"] / 2})
    summary = report.write_report([make_run(ROWS)], choices=choices, plots=False)[1]

    assert summary["percentiles"] == {"p25": 0.25}
    assert summary["confidence"] == 0.9


def test_several_paths_need_a_folder_for_their_report(tmp_path):
    with pytest.raises(BadRun, match="say with --out DIR"):
        report.write_report([tmp_path / "a", tmp_path / "b"])


def test_pictures_of_an_earlier_report_are_not_left_behind(make_run):
    """Others' pictures are, whatever the page shows."""
    run = make_run(ROWS)
    write_report(run)
    earlier = pictures(run)
    (run / "photo.png").write_bytes(b"mine")
    (run / "logo.png").write_bytes(b"also mine")
    page = run / "report.md"
    page.write_text(page.read_text() + "\n![Logo](logo.png)\n\n![Up](../photo.png) and ![photo](photo.png)\n")
    write_report(run, plots=False)

    assert earlier
    assert pictures(run) == {"photo.png", "logo.png"}


def test_a_text_from_outside_makes_nobody_delete_a_picture(make_run):
    run = make_run(ROWS, name="x\n![a](photo.png)\ny", target="![a](photo.png)")
    (run / "photo.png").write_bytes(b"mine")
    write_report(run, plots=False)
    write_report(run, plots=False)

    assert pictures(run) == {"photo.png"}


def test_the_same_run_gives_the_same_bytes(make_run):
    run = make_run(ROWS)
    write_report(run)
    first = {path.name: path.read_bytes() for path in run.iterdir()}
    write_report(run)

    assert {path.name: path.read_bytes() for path in run.iterdir()} == first


def test_the_terminal_shows_the_percentiles_in_columns(make_run):
    load = {"rate_per_s": 401.0, "duration_s": 1.0}
    summary = write_report(make_run(ROWS, failures=[TIMEOUT], load=load), plots=False)
    summary["cautions"] = []

    assert text_table(summary).splitlines() == [
        "json: 401 requests/s, constant arrivals, 1 s",
        "400 ok, 1 gateway_timeout",
        "1 gateway_timeout by the gateway: backend timeout (504 ModelArts.4503)",
        "            n     p50     p90     p95     p99  p99.9      max",
        "response  401  102 ms  102 ms  102 ms  102 ms      -  >= 40 s",
        "service   400  100 ms  100 ms  100 ms  100 ms      -   100 ms",
    ]


def test_the_terminal_says_what_was_cut_of_the_run(make_run):
    summary = write_report(make_run(ROWS), plots=False)
    summary["window"]["reading"] = "Five seconds were cut."

    assert "Five seconds were cut." not in text_table(summary)
    summary["window"]["cut"] = [{"from_s": 0, "to_s": 5, "why": "ramp"}]
    assert "Five seconds were cut." in text_table(summary).splitlines()


def test_the_terminal_tells_the_three_most_frequent_failures_that_say_why(make_run):
    """A request that was dropped says no more than its outcome, which is counted already."""
    failures = [
        failure("dropped", 9),
        failure("throttled", 1, "model", message="words " * 40, status=429),
        failure("connection_error", 2, message=STEERING),
        failure("unauthorized", 3, "gateway", "token expired", 401, "APIG.0301"),
        failure("unauthorized", 4, "unknown", status=403),
    ]
    lines = text_table(write_report(make_run([], failures=failures, counts=None), plots=False)).splitlines()

    assert lines[1:5] == [
        "no requests",
        "4 unauthorized by something between (403)",
        "3 unauthorized by the gateway: token expired (401 APIG.0301)",
        "2 connection_error: [2J a b c",
    ]


def test_the_terminal_is_not_steered_by_a_caution(make_run):
    rows = [(0, "json", "ok", "response", 9, 1), (0, "json", "throttled", "response", 9, 9)]
    failures = [failure("throttled", 9, reason="slow", message=STEERING)]
    run = make_run(rows, failures=failures, gateway=GATEWAY | {"advice": {"slow": STEERING}})
    text = text_table(write_report(run, plots=False))

    assert "Most frequent: 9 throttled: slow. [2J a b c The latencies" in text
    assert not {"\x1b", "\x00", "\u202e", "\r"} & set(text)


def test_the_terminal_prints_the_gateways_measures_like_the_others(make_run):
    rows = [
        (0, "json", "ok", measure, value, 400)
        for measure, value in {"response": 9, "service": 102_400, "backend": 95_000, "gateway": 0}.items()
    ]
    lines = text_table(write_report(make_run(rows), plots=False)).splitlines()
    found = {line.split()[0]: line.split()[1:4] for line in lines}

    assert found["gateway"] == ["400", "0", "ms"]
    assert found["backend"] == ["400", "95", "ms"]


def test_the_terminal_says_what_makes_a_run_invalid(make_run):
    text = text_table(write_report(make_run(ROWS, counts=None, name="a\x1b[2Jb"), plots=False))

    assert "\nINVALID: The run is complete, but the generator left no counts" in text
    assert "\x1b" not in text


def test_a_report_that_cannot_be_finished_leaves_the_old_one(make_run):
    run = make_run(ROWS)
    write_report(run, plots=False)
    before, limits = (run / "report.html").read_text(), resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # bytes of a file: as if the disk were full
    try:
        with pytest.raises(OSError, match="File too large"):
            write_report(run, plots=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (run / "report.html").read_text() == before
    assert json.loads((run / "summary.json").read_text())["format"] == 1


@pytest.mark.parametrize(("verdict", "code"), [("none", 0), ("pass", 0), ("fail", 1), ("undecided", 3), ("invalid", 3)])
def test_the_exit_code_is_the_verdict(verdict, code):
    assert exit_code({"verdict": verdict}) == code
