import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import BadRun
from analysis.readers.columns import (
    Column,
    lists_of,
    numbered,
    numbers,
    one_of,
    optional_whole_numbers,
    texts,
    whole_numbers,
)
from analysis.readers.csv_batches import BLOCK_BYTES, LONGEST_LINE
from analysis.readers.tables import Blocks, read_table
from analysis.run_format import ABSENT

MANY = BLOCK_BYTES // 4  # rows as short as "1,a" that fill a block

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
    ],
)
def test_a_bad_row_is_named_by_line_column_and_value(table, row, message):
    with pytest.raises(BadRun) as error:
        table(f"n,kind\n1,a\n{row}\n2,b\n")

    assert str(error.value) == message


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("row", ["a", '"a"'])
@pytest.mark.parametrize("more", ["", ",x"])
def test_blank_lines_are_no_rows(table, end, row, more):
    lines = ["text" + more, "", row + more, "", "", row + more, ""]

    assert table("".join(line + end for line in lines), {"text": texts()}).columns["text"].tolist() == ["a", "a"]
    assert table("".join(line + end for line in lines[:2]), {"text": texts()}).columns["text"].tolist() == []


@pytest.mark.parametrize("row", ["1,a", '1,"a"'])
def test_a_bad_row_behind_blank_lines_has_its_own_line(table, row):
    with pytest.raises(BadRun, match=r"^t\.csv, line 7: n 'x'"):
        table(f"n,kind\n\n{row}\n\n{row}\n\nx,a\n\n")


@pytest.mark.parametrize("end", ["", '1,"a\n'])
def test_blocks_of_blank_lines_are_no_rows(table, end):
    read = table("n,kind\n1,a\n" + "\n" * 2 * BLOCK_BYTES + '1,"a"\n' + "\n" * BLOCK_BYTES + "2,b\n\n" + end)

    assert read.columns["n"].tolist() == [1, 1, 2]
    assert read.cut is bool(end)


def test_a_blank_first_line_is_no_header(table):
    with pytest.raises(BadRun, match=r"^t\.csv, line 1: column 'n' is missing from ''$"):
        table("\nn,kind\n1,a\n")


@pytest.mark.parametrize("row", ["1,a\n", '1,"a"\n', "1,a,b\n"])
def test_names_of_columns_are_taken_without_the_blanks_around_them(table, row):
    header = " n,\tkind \n" if row.count(",") == 1 else " n,\tkind ,x\n"

    assert table((header + row) * 2).columns["n"].tolist() == [1, 1]


def test_rows_that_are_all_too_wide_are_refused(table):
    with pytest.raises(BadRun, match="line 2: 3 columns where the header has 2"):
        table("n,kind\n1,a,x\n")


def test_a_bad_row_after_the_first_block_has_its_own_line(table):
    with pytest.raises(BadRun, match=f"line {MANY + 12}: n 'x'"):
        table("n,kind\n" + "1,a\n" * (MANY + 10) + "x,a\n")


def test_blocks_are_joined_in_order(table):
    rows = MANY + 5
    read = table("n,kind\n" + "".join(f"{n},a\n" for n in range(rows)))

    assert (read.columns["n"] == np.arange(rows)).all()


@pytest.mark.parametrize("end", ["2,", "2", "23,b", '"2'])
def test_a_last_line_without_an_end_is_left_out_even_if_it_looks_whole(table, end):
    read = table("n,kind\n1,a\n" + end)

    assert read.columns["n"].tolist() == [1]
    assert read.cut


@pytest.mark.parametrize("text", ["", "n,ki", "n,kind\r"])
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


@pytest.mark.parametrize("line", ["x" * 50_000_000, "x," * 2_000_000, '"' + "x" * LONGEST_LINE])
def test_a_line_too_long_for_a_table_is_a_bad_run(table, line):
    with pytest.raises(BadRun, match=rf"^t\.csv, line 3: not CSV: a line of more than {LONGEST_LINE:,} bytes$"):
        table(f"text\nx\n{line}\n", {"text": texts()})


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

    assert read_table(path, {"text": texts()}).columns["text"].tolist() == ["\\xff\\xfe"]


WORDS = st.text(st.sampled_from('ab",\n\r \t\0\u00e9\ufeff'), max_size=6)
TEXTS = {"first": texts(), "last": texts()}


def read_texts(path):
    columns = read_table(path, TEXTS).columns
    return list(zip(*(columns[name].tolist() for name in TEXTS), strict=True))


@given(
    st.lists(st.tuples(WORDS, WORDS)), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["first,x,last", "last,first"])
)
def test_cells_are_told_apart_as_csv_does(tmp_path_factory, rows, end, header):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL)
        writer.writerow(header.split(","))
        cells = [{"first": first, "x": "x", "last": last} for first, last in rows]
        writer.writerows([[row[name] for name in header.split(",")] for row in cells])

    assert read_texts(path) == rows


@given(st.text(st.sampled_from('ab",\n'), max_size=30))
def test_quotes_where_none_belong_are_read_as_csv_does(tmp_path_factory, text):
    """Whatever csv makes two columns of is read, and the same; all else but blank lines is refused. A row that is never
    closed is cut off.
    """
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(f"first,last\n{text}\n.,.\n", encoding="utf-8")
    expected = [row for row in csv.reader(io.StringIO(f"{text}\n.,.\n", newline="\n")) if row]
    closed = expected if expected[-1][-1] == "." else expected[:-1]

    if all(len(row) == 2 for row in closed):
        assert read_texts(path) == [tuple(row) for row in closed]
        assert read_table(path, TEXTS).cut == (closed is not expected)
    else:
        with pytest.raises(BadRun, match="columns where the header has 2"):
            read_texts(path)


@given(st.data(), st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_a_file_cut_off_anywhere_has_the_rows_that_are_whole(tmp_path_factory, data, rows, end):
    quoted = [",".join('"{}"'.format(cell.replace('"', '""')) for cell in row) + end for row in rows]
    ends = np.cumsum([len(line.encode()) for line in ["first,last\n", *quoted]])
    kept = data.draw(st.integers(0, int(ends[-1])))
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(("first,last\n" + "".join(quoted)).encode()[:kept])

    table = read_table(path, TEXTS)

    assert len(table.columns["first"]) == max(np.count_nonzero(ends <= kept) - 1, 0)
    assert table.cut == (kept not in (0, *ends))


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ('text\n"a, b"\n', ["a, b"]),
        ('text\n"a ""b"""\n', ['a "b"']),
        ('text\n"a\nb"\nc\n', ["a\nb", "c"]),
        ('text\n"a\n"\n', ["a\n"]),
        ('text\na "b" c\n', ['a "b" c']),
        ("text\r\na\r\nb\r\n", ["a", "b"]),
        ("\ufefftext\na\n", ["a"]),
        ('"text"\na\n', ["a"]),
        ("text\na\0b\n", ["a\0b"]),
        ("text\n", []),
        ("text\nnull\nNA\n", ["null", "NA"]),
        ('text\n""\na\n', ["", "a"]),
        ("x,text\n,\n,a\n", ["", "a"]),
    ],
)
def test_cells_of_many_kinds(table, text, cells):
    read = table(text, {"text": texts()})

    assert read.columns["text"].tolist() == cells
    assert not read.cut


@pytest.mark.parametrize("text", ["n,kind\r1,a\r", "n,kind\r1,a", "n,kind\r1,a\r\n"])
def test_lines_that_end_in_cr_alone_are_refused(table, text):
    with pytest.raises(BadRun, match=r"^t\.csv, line 1: its lines end in CR alone; save it with LF, or CR and LF$"):
        table(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named_with_what_to_do(tmp_path, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes("text\nwords\n".encode(encoding))

    with pytest.raises(BadRun, match=r"^t\.csv, line 1: not UTF-8: it has NUL bytes, .*; save it as UTF-8$"):
        read_table(path, {"text": texts()})


def test_latin_1_is_read_as_far_as_it_is_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("text,n\ncaf\xe9,1\n".encode("latin-1"))

    assert read_table(path, {"text": texts()}).columns["text"].tolist() == ["caf\\xe9"]


@pytest.mark.parametrize("end", [b"", b'"'])
def test_texts_that_differ_in_bytes_that_are_no_text_are_two_names(tmp_path, end):
    """Also where the last row was cut off within quotes, so that rows are read one by one."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"name\n\xe9\n\xe8\n\xe9\n" + end + b"\n")
    column, codes = numbered()

    assert read_table(path, {"name": column}).columns["name"].tolist() == [0, 1, 0]
    assert list(codes) == ["\\xe9", "\\xe8"]


def test_a_column_named_twice_is_refused_if_it_is_wanted(table):
    with pytest.raises(BadRun, match=r"^t\.csv, line 1: column 'n' is named twice$"):
        table("n,kind,n\n1,a,2\n")

    assert table("n,x,x,kind\n1,2,3,a\n").columns["n"].tolist() == [1]


@pytest.mark.parametrize("cell", ["1.0", " 1", "1 ", "\t1", "0x1", "+1", "1_0", "1e3", "\u0661", "nan", "", '""', "-0"])
@pytest.mark.parametrize("repeats", [False, True])
def test_a_whole_number_is_digits_alone(table, cell, repeats):
    with pytest.raises(BadRun, match=r"^t\.csv, line 2: n '.*' is not a whole number of 0 or more$"):
        table(f"n,kind\n{cell},a\n", {"n": whole_numbers(repeats=repeats)})


@pytest.mark.parametrize(
    ("largest", "dtype"), [(10, np.int32), (2**31 - 1, np.int32), (2**31, np.int64), (2**63 - 1, np.int64)]
)
def test_whole_numbers_are_kept_in_as_few_bits_as_hold_the_largest(table, largest, dtype):
    column = {"n": whole_numbers(largest)}

    assert table(f"n\n{largest}\n007\n", column).columns["n"].tolist() == [largest, 7]
    assert table("n\n", column).columns["n"].dtype == table("n\n1\n", column).columns["n"].dtype == dtype
    with pytest.raises(BadRun, match=f"line 3: n '{largest + 1}' is not a whole number"):
        table(f"n\n1\n{largest + 1}\n", column)


def test_quotes_that_come_late_in_a_file_are_still_quotes(table):
    read = table("n,kind\n" + "1,a\n" * MANY + '"2","b"\n3,a\n')

    assert len(read.columns["n"]) == MANY + 2
    assert read.columns["n"][-3:].tolist() == [1, 2, 3]


@pytest.mark.parametrize("quoted", ["", '1,"a\n\n"\n'])
def test_a_bad_row_behind_quoted_line_breaks_has_its_own_line(table, quoted):
    text = "n,text\n" + quoted + "1,a\n" * MANY + '1,"a\nb"\n' * 10 + "x,a\n" + "1,a\n" * MANY

    with pytest.raises(BadRun, match=f"^t.csv, line {1 + quoted.count(chr(10)) + MANY + 20 + 1}: n 'x'"):
        table(text, {"n": whole_numbers(), "text": texts()})


def test_the_first_bad_row_is_named_and_in_it_the_first_bad_cell(table):
    with pytest.raises(BadRun, match="line 3: n 'x' is not"):
        table("n,kind\n1,a\nx,c\n1,c\n1,1,1\n")
    with pytest.raises(BadRun, match="line 2: 3 columns"):
        table("n,kind\n1,1,1\nx,c\n")


@pytest.mark.parametrize("rows", ["1,a\n", '1,"a"\n', "1,a\n" * MANY])
def test_headers_in_the_middle_are_left_out_wherever_they_are(table, rows):
    once = table("n,kind\n" + rows).columns["n"].tolist()

    assert table(("n,kind\n" + rows) * 3).columns["n"].tolist() == once * 3


def test_a_cell_that_is_called_as_its_column_is_no_header(table):
    column, codes = numbered()

    assert table("name,n\nname,1\nname,n\nx,1\n", {"name": column}).columns["name"].tolist() == [0, 1]
    assert list(codes) == ["name", "x"]


def test_a_header_in_the_middle_is_no_name(table):
    column, codes = numbered()
    table("name,n\na,1\nname,n\nb,1\n", {"name": column})

    assert list(codes) == ["a", "b"]


def test_a_header_of_another_file_is_a_bad_row(table):
    with pytest.raises(BadRun, match="line 3: n 'kind' is not"):
        table("n,kind\n1,a\nkind,n\na,1\n")


def test_a_million_columns_are_refused(table):
    with pytest.raises(BadRun, match=r"^t\.csv, line 1: not CSV: a line of more than"):
        table(",".join(f"c{n}" for n in range(1_000_000)) + "\n")


def test_a_million_names_are_as_many_codes(table):
    column, codes = numbered()
    read = table("name\n" + "".join(f"{n}\n" for n in range(1_000_000)), {"name": column})

    assert (read.columns["name"] == np.arange(1_000_000)).all()
    assert len(codes) == 1_000_000


def test_blocks_come_one_by_one_and_say_at_the_end_that_the_file_was_cut(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("n\n" + "1\n" * 3 * BLOCK_BYTES + "1")
    blocks = Blocks(path, {"n": whole_numbers()})

    sizes = [len(block["n"]) for block in blocks]

    assert sum(sizes) == 3 * BLOCK_BYTES
    assert max(sizes) <= BLOCK_BYTES
    assert blocks.cut


def test_a_row_of_many_lines_that_is_longer_than_a_block_is_read(table):
    long = ("x" * 1023 + "\n") * (BLOCK_BYTES // 1024)
    read = table(f'a,b\n"{long}","{long}"\n1,2\n', {"b": texts()})

    assert read.columns["b"].tolist() == [long, "2"]


def test_other_kinds_of_columns_can_be_made_of_these(table):
    """Of a column that was not told that it repeats, texts and codes can be had, too."""
    column, codes = numbered()

    read = table("a,b\nx,y\nz,y\n", {"a": Column(column.parse, "a text"), "b": Column(texts().parse, "a text")})

    assert read.columns["a"].tolist() == [0, 1]
    assert read.columns["b"].tolist() == ["y", "y"]
    assert list(codes) == ["x", "z"]


LISTS = {"n": lists_of(optional_whole_numbers())}
LIST_WORDS = "is not a whole number of 0 or more, or empty; several have one space between them"


def test_a_cell_may_hold_several_numbers(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("n,x\n1 22 333,a\n,b\n4,c\n")
    [block] = Blocks(path, LISTS)
    found = block["n"]

    assert found.numbers.tolist() == [1, 22, 333, ABSENT, 4]
    assert found.lengths.tolist() == [3, 1, 1]


@pytest.mark.parametrize("cell", ["1  2", " 1", "1 ", " ", "1 x", "1 -2", "1\t2", "1,2"])
def test_a_bad_list_is_named(table, cell):
    with pytest.raises(BadRun) as error:
        table(f'x,n\na,3 4\nb,"{cell}"\nc,\n', LISTS)

    assert str(error.value) == f"t.csv, line 3: n {cell!r} {LIST_WORDS}"


def test_lists_of_many_blocks_come_in_order(tmp_path):
    path = tmp_path / "t.csv"
    rows = [[row, row + 1, row % 7] for row in range(MANY)]
    text = "".join(f"{a} {b} {c},{'ab'[a % 2]}\n" for a, b, c in rows)
    path.write_text("n,kind\n" + text)
    blocks = list(Blocks(path, LISTS | {"kind": COLUMNS["kind"]}))

    assert len(blocks) > 3
    assert np.concatenate([block["n"].numbers for block in blocks]).reshape(-1, 3).tolist() == rows
    assert np.concatenate([block["kind"] for block in blocks]).tolist() == [row % 2 for row in range(MANY)]
