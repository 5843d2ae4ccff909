import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.readers import read, recording
from analysis.readers.recording import Recording, Rows, distinct

SECOND = 1_000_000


def rows_of(*starts_s, ms=5, count=None):
    start = np.array([round(start * SECOND) for start in starts_s], np.int64)
    none = np.zeros(len(start), np.int64)
    counts = None if count is None else np.array(count, np.int64)
    return Rows("f", start, none, none.astype(np.int8), {"service": none + ms * 1000}, end_us=start, count=counts)


def test_rows_of_a_second_and_a_value_are_joined():
    folded = Recording()
    folded.names.code("a")
    folded.add(rows_of(3.5, 3.6, 4.4, 4.6))
    samples = folded.samples()

    assert samples.second.tolist() == [0, 0, 1, 1]
    assert samples.count.tolist() == [3, 3, 1, 1]
    assert samples.names == ("a",)


def test_a_row_may_be_of_several_requests_or_of_none():
    folded = Recording()
    folded.names.code("a")
    folded.add(rows_of(1, 1, 2, count=[3, 0, 4]))

    assert folded.samples().outcome_counts() == {"ok": 7}
    assert folded.seconds.timeline().sent.tolist() == [3, 4]


def test_names_without_requests_are_left_out():
    folded = Recording()
    for name in ("a", "b"):
        folded.names.code(name)
    rows = rows_of(1, 2)
    folded.add(Rows("f", rows.start_us, rows.name + 1, rows.outcome, {}, end_us=rows.start_us))

    samples = folded.samples()

    assert (samples.names, samples.name.tolist()) == (("b",), [0, 0])


@pytest.mark.parametrize("held", [1, 2, 3, 100])
def test_a_start_before_the_first_rows_has_the_files_read_again(tmp_path, monkeypatch, held):
    """However many rows are held, seconds count from the earliest of all starts."""
    monkeypatch.setattr(recording, "HELD_ROWS", held)
    monkeypatch.setattr(recording, "FOLDED_ROWS", held)
    paths = [tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"]
    for path, starts in zip(paths, ((5.0, 5.9), (6.2, 4.8), (5.79, 5.81)), strict=True):
        path.write_text(
            "at_s,service_ms,status\n" + "".join(f"{start},1,{200 + 304 * (start > 6)}\n" for start in starts)
        )
    run = read(paths)

    assert run.timeline.sent.tolist() == [3, 3]
    assert run.samples.outcome_counts() == {"ok": 5, "gateway_timeout": 1}
    assert [failure.count for failure in run.failures] == [1]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 20)), max_size=200))
def test_distinct_rows_and_their_places_give_the_rows_back(rows):
    columns = list(np.array(rows, np.int64).reshape(-1, 2).T)
    found, places = distinct(columns)

    assert [found[place] for place in places] == rows
    assert len(set(found)) == len(found)
