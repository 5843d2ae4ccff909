import io
import os
import stat

import pytest
from werkzeug.datastructures import FileStorage

from loadgate.web import uploads


def sent(name, content=b"x"):
    return FileStorage(io.BytesIO(content), filename=name)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("cat.png", "cat.png"),
        ("../../etc/passwd", "etc_passwd"),
        ("/etc/passwd", "etc_passwd"),
        ("..", "upload-1"),
        ("", "upload-1"),
        ("a\x00b\n.json", "ab_.json"),
        (".bashrc", "bashrc"),
        ("<script>.json", "script.json"),
        ("Käfer 1.jsonl", "Kafer_1.jsonl"),
    ],
)
def test_a_name_leads_nowhere_but_to_the_run(tmp_path, name, kept):
    [path] = uploads.keep([sent(name)], tmp_path / "run")

    assert path == tmp_path / "run" / "uploads" / kept
    assert [found.name for found in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / "uploads" / kept).read_bytes() == b"x"


def test_files_of_one_name_are_all_kept(tmp_path):
    paths = uploads.keep([sent("a.json", b"1"), sent("x/a.json", b"2"), sent("a.json", b"3")], tmp_path)

    assert len(set(paths)) == 3
    assert sorted(found.read_bytes() for found in (tmp_path / "uploads").iterdir()) == [b"1", b"2", b"3"]


def test_what_was_kept_can_be_discarded(tmp_path):
    uploads.discard(uploads.keep([sent("a.json"), sent("b.json")], tmp_path / "run"))

    assert list(tmp_path.iterdir()) == []


def test_only_what_was_kept_is_discarded(tmp_path):
    mine = tmp_path / "uploads" / "mine.json"
    mine.parent.mkdir()
    mine.write_text("{}", encoding="utf-8")
    uploads.discard(uploads.keep([sent("a.json")], tmp_path))
    uploads.discard(uploads.keep([], tmp_path))

    assert list(tmp_path.rglob("*.json")) == [mine]


def test_what_is_sent_along_is_its_owners_only(tmp_path):
    before = os.umask(0)
    try:
        [path] = uploads.keep([sent("a.json")], tmp_path / "run")
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_link_to_nowhere_is_not_followed(tmp_path):
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "a.json").symlink_to(tmp_path / "elsewhere")
    [path] = uploads.keep([sent("a.json")], tmp_path)

    assert path.name == "2-a.json"
    assert not (tmp_path / "elsewhere").exists()
