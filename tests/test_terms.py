"""Master and worker make one load only if they run the same programs and send the same bytes."""

from dataclasses import replace

import pytest

from loadgate.payloads import load
from loadgate.terms import Terms

VERSIONS = {"loadgate": "1.0", "locust": "2.0"}


def terms(**bodies):
    return Terms(VERSIONS, bodies)


OURS = terms(User=[["a.json", "11"], ["b.json", "22"]])


def test_the_same_is_the_same_also_after_it_travelled():
    assert OURS.objection(Terms.read(OURS.as_message())) is None


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (replace(OURS, versions=VERSIONS | {"loadgate": "1.1"}), "runs loadgate 1.1, the master 1.0"),
        (replace(OURS, versions={"loadgate": "1.0"}), "runs locust none, the master 2.0"),
        (terms(User=[["a.json", "11"], ["b.json", "33"]]), "its b.json has other bytes than the master's"),
        (terms(User=[["a.json", "11"]]), "would send 1 different bodies, the master 2"),
        (terms(User=[["a.json", "11"], ["c.json", "22"]]), "would send c.json where the master has b.json"),
        (terms(Other=OURS.bodies["User"]), "its user classes are Other, the master's User"),
        (terms(), "its user classes are none, the master's User"),
    ],
)
def test_what_differs_is_named(theirs, words):
    assert words in OURS.objection(theirs)


@pytest.mark.parametrize(
    "message", [None, 1, "text", [], {}, {"versions": 1, "bodies": {}}, {"versions": {}, "bodies": {"U": 1}}]
)
def test_a_message_that_makes_no_sense_is_none(message):
    with pytest.raises(ValueError, match="did not say"):
        Terms.read(message)


@pytest.mark.parametrize(
    ("kind", "content"),
    [("json", b'{"meta": {"uuid": "x"}, "n": 1}'), ("json", b'{"n": 1}'), ("file", b"\0\1\2"), ("base64", b"\0\1\2")],
)
def test_a_digest_is_of_the_bytes_and_not_of_what_is_new_each_time(tmp_path, kind, content):
    def digest(folder: str, written: bytes) -> str:
        path = tmp_path / folder / "body.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(written)
        (payload,) = load(kind, [str(path)], field="images", base64_field="image")
        return payload.digest

    assert digest("here", content) == digest("there", content)
    assert digest("here", content) != digest("there", content.replace(b"1", b"2").replace(b"\2", b"\3"))


def test_a_digest_tells_forms_apart(tmp_path):
    path = tmp_path / "body.json"
    path.write_bytes(b"{}")
    digests = {load(kind, [str(path)], field="a", base64_field="a")[0].digest for kind in ("json", "file", "base64")}
    digests.add(load("file", [str(path)], field="b", base64_field="a")[0].digest)
    assert len(digests) == 4
