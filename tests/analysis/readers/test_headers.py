import pytest

from analysis.errors import BadRun
from analysis.readers.headers import READABLE, header_of


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"a,b\n1,2\n", ("a", "b")),
        (b'a,"b, c"\r\n', ("a", "b, c")),
        (b"\xef\xbb\xbfa,b\n", ("a", "b")),
        (b"\xff,b\n", ("\\xff", "b")),
        (b" a, b ,c c\r\n", ("a", "b", "c c")),
        (b'"a\nb",c\n', ("a\nb", "c")),
        (b"\n", ("",)),
    ],
)
def test_the_first_line_is_the_header(tmp_path, content, header):
    path = tmp_path / "a.csv"
    path.write_bytes(content + b"x,y\n")

    assert header_of(path) == header


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.csv cannot be read: it is empty"),
        (b" \n", "a.csv cannot be read: it is empty"),
        (b"a,b", "a.csv cannot be read: its first line does not end"),
        (b"x" * 70_000, "a.csv cannot be read: its first line does not end"),
        (b"\x89PNG\0\n", "a.csv cannot be read: it is binary"),
        ("a,b\n".encode("utf-16"), "a.csv cannot be read: it is UTF-16, and only UTF-8 is read"),
        (b"a,b\r", "a.csv cannot be read: its first line does not end"),
        (b"\x1f\x8b\x08\0", "a.csv is compressed (gzip): unpack it first"),
        (b"PK\x03\x04", "a.csv is compressed (zip): unpack it first"),
        (b"<?xml version='1.0'?>\n", "a.csv is XML: have JMeter write CSV (jmeter.save.saveservice.output_format=csv)"),
        (b'{"type":"Metric"}\n', "a.csv is JSON, and only CSV is read (of k6: --out csv=FILE)"),
    ],
)
def test_what_has_no_header_is_refused_in_one_line_with_what_can_be_read(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(BadRun) as error:
        header_of(path)

    assert str(error.value) == f"{message}. {READABLE}"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadRun, match=r"none.csv cannot be read: No such file or directory. What can be read: "):
        header_of(tmp_path / "none.csv")
