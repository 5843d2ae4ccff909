import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate import toml_file
from loadgate.errors import ConfigError
from loadgate.toml_file import TomlFile

TEXT = """\
# first = not this line
first = 1

[table]
first = 2
"quoted key" = 3
dotted.deep = 4
inline = { inside = 5 }

[[block]]
first = 6

[other]
first = 7

[[block]]
# first = 0
first = 8

[block.part]
deep = 9
"""


def line_of(key, block="", nth=0, text=TEXT):
    return int(re.match(r"f\.toml, line (\d+): why$", str(TomlFile("f.toml", text).wrong("why", key, block, nth)))[1])


@pytest.mark.parametrize(
    ("key", "block", "nth", "line"),
    [
        ("first", "", 0, 2),
        ("table", "", 0, 4),
        ("block", "", 0, 10),
        ("first", "table", 0, 5),
        ("quoted key", "table", 0, 6),
        ("dotted", "table", 0, 7),
        ("inline", "table", 0, 8),
        ("first", "block", 0, 11),
        ("first", "block", 1, 18),
        ("part", "block", 1, 20),
        ("inside", "table", 0, 8),
        ("nowhere", "block", 1, 16),
        ("nowhere", "", 0, 1),
    ],
)
def test_a_field_is_found_in_the_lines_of_its_own_table(key, block, nth, line):
    assert line_of(key, block, nth) == line


@given(st.text(), st.text(), st.text(), st.integers(0, 3))
def test_every_text_has_a_line_to_name(text, key, block, nth):
    error = str(TomlFile("f.toml", text).wrong("why", key, block, nth))

    assert 1 <= int(re.match(r"f\.toml, line (\d+): why", error)[1]) <= max(len(text.splitlines()), 1)


def test_fields_come_back_as_what_they_mean():
    file = TomlFile("f.toml", 'a = "x"\nb = true')

    assert file.fields(file.content(), {"a": str.upper, "b": toml_file.yes, "c": str}) == {"a": "X", "b": True}


def test_an_unknown_field_is_named_with_the_known_ones():
    file = TomlFile("f.toml", "\nz = 1")

    with pytest.raises(ConfigError, match=r"^f\.toml, line 2: unknown field 'z'; known are a, b$"):
        file.fields(file.content(), {"b": str, "a": str})


def test_a_file_is_read_with_its_name(tmp_path):
    (tmp_path / "a.toml").write_text("x = 1", encoding="utf-8")

    file = toml_file.read(tmp_path / "a.toml")
    assert (file.name, file.content()) == (str(tmp_path / "a.toml"), {"x": 1})
