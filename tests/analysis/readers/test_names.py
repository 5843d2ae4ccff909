import numpy as np

from analysis.readers.names import Names
from analysis.readers.tables import read_table


def test_names_are_numbered_as_they_appear():
    names = Names()

    assert [names.code("b"), names.code("a"), names.code("b")] == [0, 1, 0]
    assert names.as_texts() == ("b", "a")


def test_a_type_is_told_only_where_the_name_alone_is_ambiguous(tmp_path):
    names, path = Names(), tmp_path / "t.csv"
    path.write_text("type,name\nGET,x\nPOST,x\nPOST,y\nGET,x\n")
    cells = read_table(path, {"type": names.texts(), "name": names.texts()}).columns
    codes = names.typed(cells["type"], cells["name"])

    assert [names.as_texts()[code] for code in codes] == ["GET x", "POST x", "y", "GET x"]


def test_no_two_names_look_the_same():
    names = Names()
    for kind, name in (("GET", "x"), ("POST", "x"), ("", "GET x"), ("POST", "GET x")):
        names.code(name, kind)

    assert len(set(names.as_texts())) == 4


def test_codes_of_no_rows_are_none():
    assert Names().typed(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []
