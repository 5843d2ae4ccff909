import base64
import json
import uuid
from email import message_from_bytes, policy
from io import BytesIO

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from python_multipart import parse_form

from loadgate import payloads
from loadgate.errors import ConfigError

FIELDS = {"field": "images", "base64_field": "image"}


def parts(payload):
    """What python-multipart finds in a body: (field, file name, content) of each part."""
    files = []
    headers = {"Content-Type": payload.content_type.encode(), "Content-Length": str(len(payload)).encode()}

    def on_file(file):
        file.file_object.seek(0)
        files.append((file.field_name.decode(), file.file_name.decode(), file.file_object.read()))
        file.close()

    parse_form(headers, BytesIO(payload.body), on_field=lambda field: files.append(field), on_file=on_file)
    return files


# ---- multipart


@given(st.binary(max_size=3000))
def test_any_content_comes_out_of_a_multipart_parser_as_it_went_in(content):
    payload = payloads.file_payload("cats", "cat.png", content, "images")

    assert parts(payload) == [("images", "cat.png", content)]


def test_the_multipart_body_says_what_requests_says():
    payload = payloads.file_payload("cats", "cat.png", b"\x89PNG\r\n\r\n", "images")
    theirs = requests.Request(
        "POST", "http://h/", files={"images": ("cat.png", b"\x89PNG\r\n\r\n", "image/png")}
    ).prepare()

    assert [(dict(part.items()), part.get_content()) for part in mail_parts(payload.content_type, payload.body)] == [
        (dict(part.items()), part.get_content()) for part in mail_parts(theirs.headers["Content-Type"], theirs.body)
    ]


def mail_parts(content_type, body):
    """What the standard library's mail parser finds in a body."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    return list(message_from_bytes(head + body, policy=policy.HTTP).iter_parts())


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.txt", "text/plain"), ("a", "application/octet-stream")],
)
def test_a_part_has_the_type_of_its_file_name(filename, content_type):
    payload = payloads.file_payload("n", filename, b"x", "images")
    (part,) = mail_parts(payload.content_type, payload.body)

    assert part.get_content_type() == content_type


def test_quotes_and_line_ends_in_a_name_cannot_break_out_of_the_header():
    payload = payloads.file_payload("n", 'a"\r\nX: y.png', b"x", 'f"ield')

    assert b'name="f%22ield"; filename="a%22%0D%0AX: y.png"\r\n' in payload.body


def test_two_bodies_have_different_boundaries():
    first, second = (payloads.file_payload("n", "a.png", b"x", "images") for _ in range(2))

    assert first.content_type != second.content_type


# ---- base64


@given(st.binary(max_size=3000))
def test_a_base64_body_is_json_with_the_file_in_the_named_field(content):
    payload = payloads.base64_payload("n", content, "pic")
    parsed = json.loads(payload.body)

    assert list(parsed) == ["pic"]
    assert base64.b64decode(parsed["pic"], validate=True) == content


# ---- JSON


@pytest.mark.parametrize("content", [b'{"a":  1.10}', b"[1,2]", b'"text"', '{"ä": "\u4e2d"}'.encode(), b'{"meta":{}}'])
def test_json_without_a_uuid_is_sent_byte_for_byte(content):
    payload = payloads.json_payload("n", b" \n" + content + b"\n", "a.json")

    assert (payload.body, payload.uuid_at) == (content, None)


def test_a_uuid_is_replaced_and_its_place_known():
    content = b'{"data": {"x": "\xc3\xa4"}, "meta": {"run": 7, "uuid": "10eb0091"}}'
    payload = payloads.json_payload("n", content, "a.json")
    parsed = json.loads(payload.body)
    there = payload.body[payload.uuid_at : payload.uuid_at + 36].decode()

    assert str(uuid.UUID(there)) == there == parsed["meta"].pop("uuid")
    assert parsed == {"data": {"x": "ä"}, "meta": {"run": 7}}


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=9),
            lambda inner: st.lists(inner, max_size=3),
        ),
        max_size=4,
    )
)
def test_whatever_stands_beside_the_uuid_is_kept(beside):
    content = json.dumps(beside | {"meta": {"uuid": None}}).encode()
    payload = payloads.json_payload("n", content, "a.json")

    assert json.loads(payload.body) | {"meta": {"uuid": None}} == beside | {"meta": {"uuid": None}}


@pytest.mark.parametrize(
    ("content", "inputs"),
    [
        (b'{"data": {"req_data": [1, 2, 3]}}', 3),
        (b'{"req_data": [1, 2]}', 2),
        (b'{"data": {"req_data": []}}', 0),
        (b'{"data": {"req_data": 1}}', None),
        (b'{"data": [1]}', None),
        (b"[1]", None),
    ],
)
def test_inputs_are_the_entries_of_req_data(content, inputs):
    assert payloads.json_payload("n", content, "a.json").inputs == inputs


@pytest.mark.parametrize("content", [b"{", b"a: 1", b"[" * 100_000, b'{"x": NaN}'])
def test_what_is_not_json_is_refused_with_its_source(content):
    with pytest.raises(ConfigError, match=r"^a\.json, line 3 is not valid JSON: "):
        payloads.json_payload("n", content, "a.json, line 3")


def test_a_file_that_is_not_utf8_is_refused_with_its_source():
    with pytest.raises(ConfigError, match=r"^a\.json is not UTF-8 text"):
        payloads.json_payload("n", '{"a": 1}'.encode("utf-16"), "a.json")


def test_a_byte_order_mark_is_not_sent():
    assert payloads.json_payload("n", b"\xef\xbb\xbf{}", "a.json").body == b"{}"


def test_a_body_with_a_uuid_is_otherwise_sent_byte_for_byte():
    before, after = b'{"data": {"x":  1.10, "x": 2},\t"meta": {"uuid": "', b'"}}'
    payload = payloads.json_payload("n", before + b"10eb0091" + after, "a.json")

    assert payload.uuid_at == len(before)
    assert payload.body[: len(before)] == before
    assert payload.body[len(before) + 36 :] == after


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b'{"meta": {"uuid": 1.50}, "x": 1}', {"x": 1}),
        (b'{"ab": 1, "meta": {"uuid": "\\u0061b"}}', {"ab": 1}),
        (b'{"x": "a", "meta": {"uuid": "a"}}', {"x": "a"}),
    ],
)
def test_only_the_uuid_is_replaced_however_it_is_written(content, kept):
    payload = payloads.json_payload("n", content, "a.json")
    parsed = json.loads(payload.body)

    assert uuid.UUID(parsed.pop("meta")["uuid"])
    assert parsed == kept


def test_sources_of_one_name_are_told_apart(tmp_path):
    given = [tmp_path / "a" / "cat.png", tmp_path / "b" / "cat.png", tmp_path / "dog.png"]
    for path in given:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    loaded = payloads.load("file", map(str, given), **FIELDS)

    assert [payload.name for payload in loaded] == [str(given[0]), str(given[1]), "dog.png"]


# ---- files


@pytest.mark.parametrize("kind", payloads.KINDS)
def test_without_paths_the_sample_is_sent(kind):
    (payload,) = payloads.load(kind, [], **FIELDS)

    name = payloads.SAMPLE[kind].name
    assert (payload.name, payload.kind) == (f"{name} (base64)" if kind == "base64" else name, kind)


def test_the_json_sample_has_a_uuid_and_inputs():
    (payload,) = payloads.load("json", [], **FIELDS)

    assert payload.uuid_at is not None
    assert payload.inputs == len(json.loads(payload.body)["data"]["req_data"])


def test_the_image_sample_is_a_picture():
    assert payloads.SAMPLE["file"].read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_each_line_of_a_jsonl_is_a_body_and_blank_lines_are_none(tmp_path):
    path = tmp_path / "bodies.jsonl"
    path.write_bytes(b'{"a": 1}\n\n  \r\n{"a": 2}\r\n')
    loaded = payloads.load("json", [str(path)], **FIELDS)

    assert [(payload.name, payload.body) for payload in loaded] == [
        ("bodies.jsonl", b'{"a": 1}'),
        ("bodies.jsonl", b'{"a": 2}'),
    ]


def test_a_bad_line_of_a_jsonl_is_named_by_its_number(tmp_path):
    path = tmp_path / "bodies.jsonl"
    path.write_text('{"a": 1}\n\n{"a": \n')

    with pytest.raises(ConfigError, match=r"bodies\.jsonl, line 3 is not valid JSON"):
        payloads.load("json", [str(path)], **FIELDS)


def test_a_folder_is_one_source_of_its_files_in_order_without_hidden_ones_and_folders(tmp_path):
    folder = tmp_path / "cats"
    (folder / "more").mkdir(parents=True)
    for name in ("b.png", "a.png", ".DS_Store"):
        (folder / name).write_text(name)
    loaded = payloads.load("file", [f"{folder}/"], **FIELDS)

    assert [(payload.name, parts(payload)[0][1:]) for payload in loaded] == [
        ("cats", ("a.png", b"a.png")),
        ("cats", ("b.png", b"b.png")),
    ]


def test_of_a_folder_of_json_only_json_is_read(tmp_path):
    (tmp_path / "a.json").write_text("1")
    (tmp_path / "b.jsonl").write_text("2\n3")
    (tmp_path / "readme.txt").write_text("no JSON")

    assert [payload.body for payload in payloads.load("json", [str(tmp_path)], **FIELDS)] == [b"1", b"2", b"3"]


def test_a_pattern_is_one_source_under_its_own_name(tmp_path):
    for name in ("b.png", "a.png", "c.txt"):
        (tmp_path / name).write_text(name)
    loaded = payloads.load("file", [str(tmp_path / "*.png")], **FIELDS)

    assert [(payload.name, parts(payload)[0][1]) for payload in loaded] == [("*.png", "a.png"), ("*.png", "b.png")]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    (tmp_path / "a[1].png").write_text("x")

    assert [payload.name for payload in payloads.load("file", [str(tmp_path / "a[1].png")], **FIELDS)] == ["a[1].png"]


def test_the_working_folder_has_its_name_too(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("1")
    monkeypatch.chdir(tmp_path)

    assert [payload.name for payload in payloads.load("json", ["."], **FIELDS)] == [tmp_path.name]


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("1")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert payloads.load("json", ["~/a.json"], **FIELDS)[0].body == b"1"


@pytest.mark.parametrize("kind", ["file", "base64"])
def test_each_kind_has_its_own_field(kind, tmp_path):
    (tmp_path / "a.png").write_text("x")
    (payload,) = payloads.load(kind, [str(tmp_path / "a.png")], field="for-files", base64_field="for-base64")

    assert (f"for-{kind}s" if kind == "file" else "for-base64").encode() in payload.body


@pytest.mark.parametrize(
    ("given_path", "words"),
    [
        ("missing.json", "--json: file 'missing.json' does not exist"),
        ("*.missing", "--json: file '*.missing' does not exist"),
        (300 * "a", f"--json: '{300 * 'a'}' is not a file's name (File name too long)"),
        ("~no-such-user/a.json", "--json: file '~no-such-user/a.json' does not exist"),
        ("folder", "--json: folder 'folder' holds no file"),
        ("empty.json", "--json: 'empty.json' is empty"),
        ("/proc/self/mem", "--json: '/proc/self/mem' cannot be read (Input/output error)"),
        ("bad\nname.json", "--json: 'bad\\nname.json' has characters in its name"),
        ("\udcff.json", "--json: '\\udcff.json' has characters in its name"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_option(given_path, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.json").write_text(" \n")
    for name in ("bad\nname.json", "\udcff.json"):
        (tmp_path / name).write_text("1")

    with pytest.raises(ConfigError) as refused:
        payloads.load("json", [given_path], **FIELDS)

    assert str(refused.value).startswith(words)


@pytest.mark.parametrize(
    ("fields", "option"), [({"field": ""}, "--field is empty"), ({"base64_field": ""}, "--base64-field is empty")]
)
def test_a_field_without_a_name_is_refused(fields, option):
    with pytest.raises(ConfigError, match=option):
        payloads.load("file", [], **(FIELDS | fields))


def test_the_length_is_that_of_the_body():
    assert len(payloads.json_payload("n", '"é"'.encode(), "a.json")) == 4
