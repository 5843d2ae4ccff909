import numpy as np
import pytest

from analysis.errors import BadRun
from analysis.readers.tables import (
    BLOCK_ROWS,
    numbered,
    numbers,
    one_of,
    optional_whole_numbers,
    read_table,
    texts,
    whole_numbers,
)
from analysis.run_format import ABSENT

COLUMNS = {"n": whole_numbers(), "kind": one_of(["a", "b"])}


@pytest.fixture
def table(tmp_path):
    def write(text, columns=COLUMNS):
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode())
        return read_table(path, columns)

    return write


def test_columns_are_found_by_name_and_others_are_ignored(table):
    read = table("kind,more,n\nb,x,3\na,y,4\n")

    assert read.columns["n"].tolist() == [3, 4]
    assert read.columns["kind"].tolist() == [1, 0]
    assert not read.cut


def test_a_missing_column_is_named(table):
    with pytest.raises(BadRun, match=r"^t\.csv, line 1: column 'kind' is missing from 'n,x'$"):
        table("n,x\n1,2\n")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,c", "t.csv, line 3: kind 'c' is not one of a, b"),
        ("-1,a", "t.csv, line 3: n '-1' is not a whole number of 0 or more"),
        ("1.5,a", "t.csv, line 3: n '1.5' is not a whole number of 0 or more"),
        (",a", "t.csv, line 3: n '' is not a whole number of 0 or more"),
        ("9" * 30 + ",a", f"t.csv, line 3: n '{'9' * 30}' is not a whole number of 0 or more"),
        ("1,a,2", "t.csv, line 3: 3 columns where the header has 2"),
        ("", "t.csv, line 3: 0 columns where the header has 2"),
    ],
)
def test_a_bad_row_is_named_by_line_column_and_value(table, row, message):
    with pytest.raises(BadRun) as error:
        table(f"n,kind\n1,a\n{row}\n2,b\n")

    assert str(error.value) == message


def test_rows_that_are_all_too_wide_are_refused(table):
    with pytest.raises(BadRun, match="line 2: 3 columns where the header has 2"):
        table("n,kind\n1,a,x\n")


def test_a_bad_row_after_the_first_block_has_its_own_line(table):
    with pytest.raises(BadRun, match=f"line {BLOCK_ROWS + 12}: n 'x'"):
        table("n,kind\n" + "1,a\n" * (BLOCK_ROWS + 10) + "x,a\n")


def test_blocks_are_joined_in_order(table):
    rows = BLOCK_ROWS + 5
    read = table("n,kind\n" + "".join(f"{n},a\n" for n in range(rows)))

    assert (read.columns["n"] == np.arange(rows)).all()


@pytest.mark.parametrize("end", ["2,", "2", "23,b", '"2'])
def test_a_last_line_without_an_end_is_left_out_even_if_it_looks_whole(table, end):
    read = table("n,kind\n1,a\n" + end)

    assert read.columns["n"].tolist() == [1]
    assert read.cut


@pytest.mark.parametrize("text", ["", "n,ki"])
def test_a_file_without_a_whole_header_has_no_rows(table, text):
    read = table(text)

    assert read.columns["n"].tolist() == []
    assert read.cut is bool(text)


def test_a_file_that_is_not_there_has_no_rows(tmp_path):
    read = read_table(tmp_path / "none.csv", COLUMNS)

    assert read.columns["kind"].tolist() == []
    assert not read.cut


def test_files_joined_with_cat_read_as_one(table):
    assert table("n,kind\n1,a\nn,kind\n2,b\n").columns["n"].tolist() == [1, 2]


def test_a_quoted_cell_may_hold_commas_quotes_and_lines(table):
    read = table('text\n"a, ""b""\nc"\n', {"text": texts()})

    assert read.columns["text"].tolist() == ['a, "b"\nc']


def test_a_cell_too_long_for_csv_is_a_bad_run(table):
    with pytest.raises(BadRun, match=r"t\.csv, line 2: not CSV: field larger"):
        table("text\n" + "x" * 200_000 + "\n", {"text": texts()})


def test_empty_cells_are_absent_where_a_column_allows_it(table):
    read = table("n,x\n,\n5,2.5\n", {"n": optional_whole_numbers(), "x": numbers()})

    assert read.columns["n"].tolist() == [ABSENT, 5]
    assert np.isnan(read.columns["x"][0])
    assert read.columns["x"][1] == 2.5


def test_the_mark_of_an_absent_number_is_no_number(table):
    with pytest.raises(BadRun, match="line 2: n '-1'"):
        table("n\n-1\n", {"n": optional_whole_numbers()})


@pytest.mark.parametrize("cell", ["nan", "inf", "x"])
def test_only_finite_numbers_are_numbers(table, cell):
    with pytest.raises(BadRun, match=f"line 2: x '{cell}' is not a finite number"):
        table(f"x,y\n{cell},1\n", {"x": numbers()})


def test_texts_are_numbered_as_they_appear(table):
    column, codes = numbered()
    read = table("name\nb\na\nb\n", {"name": column})

    assert read.columns["name"].tolist() == [0, 1, 0]
    assert list(codes) == ["b", "a"]


def test_bytes_that_are_no_text_do_not_stop_the_reading(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"text\n\xff\xfe\n")

    assert read_table(path, {"text": texts()}).columns["text"].tolist() == ["��"]
