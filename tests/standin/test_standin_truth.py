import csv
import io

from loadgate.standin.truth import COLUMNS, Truth


def test_the_header_is_there_before_the_first_row():
    file = io.StringIO()
    Truth(file)
    assert file.getvalue() == ",".join(COLUMNS) + "\n"


def test_rows_are_written_by_flush_and_once():
    file = io.StringIO()
    truth = Truth(file)
    truth.add(("1.0", "", None, 200, 'a,"b"'))
    assert file.getvalue().count("\n") == 1
    truth.flush()
    truth.flush()
    _, row = csv.reader(io.StringIO(file.getvalue()))
    assert row == ["1.0", "", "", "200", 'a,"b"']


def test_without_a_file_nothing_is_kept():
    truth = Truth(None)
    truth.add(("x",))
    assert truth._rows == []
