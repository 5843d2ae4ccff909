"""What is sent: request bodies, each encoded once before the load starts.

Three forms, as the service's page shows them: JSON, a file as multipart/form-data, and a file as base64 inside
JSON. Bodies come from files the user names; without any, from the two samples that ship with the package.
"""

import base64
import glob
import hashlib
import json
import mimetypes
import os
import secrets
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from loadgate.errors import ConfigError

Kind = Literal["json", "file", "base64"]
KINDS: tuple[Kind, ...] = ("json", "file", "base64")
UUID_LENGTH = 36
BOUNDARY = "boundary="
SAMPLES = Path(__file__).parent / "samples"
SAMPLE = {
    "json": SAMPLES / "iris.json",
    "file": SAMPLES / "flower.png",
    "base64": SAMPLES / "flower.png",
}


@dataclass(frozen=True)
class Payload:
    """One request body. With `uuid_at`, the 36 bytes from there are replaced by a fresh UUID in each request."""

    name: str  # of the file or folder it came from: requests are reported under it
    kind: Kind
    content_type: str
    body: bytes
    inputs: int | None = None  # entries of `req_data`, where the body has one
    uuid_at: int | None = None
    content_bytes: int = 0  # before it was put into its form
    source: str = ""  # the file's name, and the line of a .jsonl: where it lies is nobody's business

    def __len__(self) -> int:
        """Bytes on the wire, headers not counted: what the gateway's limit is about."""
        return len(self.body)

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of what is the same wherever the same file is encoded: not of boundary and UUID."""
        body = self.body
        if self.uuid_at is not None:
            body = body[: self.uuid_at] + body[self.uuid_at + UUID_LENGTH :]
        _, _, boundary = self.content_type.partition(BOUNDARY)
        if boundary:
            body = body.replace(boundary.encode(), b"")
        return hashlib.sha256(f"{self.name} {self.kind}\n".encode() + body).hexdigest()


def load(kind: Kind, paths: Iterable[str], *, field: str, base64_field: str) -> list[Payload]:
    """Read and encode every body of this kind; without paths, the sample's. Raises ConfigError."""
    if not field:
        raise ConfigError("--field is empty; name the model's file input, like images")
    if not base64_field:
        raise ConfigError("--base64-field is empty; name the model's text input, like image")
    payloads = []
    sources = list(paths) or [str(SAMPLE[kind])]
    for given in sources:
        name = _name(kind, given, sources)
        for path in _files(kind, given):
            if not f"{name}{path.name}".isprintable():
                raise ConfigError(f"--{kind}: {str(path)!r} has characters in its name that cannot be shown; rename it")
            payloads += _encode(kind, path, name, field if kind == "file" else base64_field)
    return payloads


def largest_content(payload: Payload, limit_bytes: int) -> int:
    """Bytes of the largest file that would fit into the limit in this payload's form."""
    if payload.kind == "base64":
        form_bytes = len(payload) - _base64_bytes(payload.content_bytes)
        return max(limit_bytes - form_bytes, 0) // 4 * 3
    return max(limit_bytes - (len(payload) - payload.content_bytes), 0)


def _base64_bytes(count: int) -> int:
    return -(-count // 3) * 4


def _encode(kind: Kind, path: Path, name: str, field: str) -> list[Payload]:
    content = _read(kind, path)
    if kind == "file":
        return [file_payload(name, path.name, content, field)]
    if kind == "base64":
        return [replace(base64_payload(name, content, field), source=path.name)]
    if path.suffix != ".jsonl":
        return [json_payload(name, content, str(path))]
    lines = enumerate(content.splitlines(), 1)
    return [json_payload(name, line, f"{path}, line {number}") for number, line in lines if line.strip()]


def json_payload(name: str, content: bytes, source: str) -> Payload:
    """A JSON body, sent as it is written; only `meta.uuid`, where there is one, is made fresh for each request.

    Raises ConfigError naming `source` where the content is not JSON.
    """
    try:
        text = content.decode("utf-8-sig").strip()
        parsed = json.loads(text, parse_constant=_refuse)
        text, marker = _with_marker(text, parsed)
        body = text.encode()
    except UnicodeDecodeError:
        raise ConfigError(f"{source} is not UTF-8 text; save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(f"{source} is not valid JSON: {reason}") from None
    uuid_at = None if marker is None else body.index(marker.encode())
    return Payload(name, "json", "application/json", body, _inputs(parsed), uuid_at, len(body), Path(source).name)


def _with_marker(text: str, parsed: Any) -> tuple[str, str | None]:
    """`text` with a UUID to be found again in place of `meta.uuid`, and that UUID; without one, as it is."""
    meta = parsed.get("meta") if isinstance(parsed, dict) else None
    if not isinstance(meta, dict) or "uuid" not in meta:
        return text, None
    marker = str(uuid.uuid4())
    changed = parsed | {"meta": meta | {"uuid": marker}}
    spliced = text.replace(json.dumps(meta["uuid"]), f'"{marker}"', 1)
    with suppress(ValueError):
        if json.loads(spliced) == changed:
            return spliced, marker
    return json.dumps(changed, ensure_ascii=False, allow_nan=False), marker


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def file_payload(name: str, filename: str, content: bytes, field: str) -> Payload:
    """A multipart/form-data body with one file (RFC 7578; quotes and line ends escaped as browsers do)."""
    boundary = f"loadgate-{secrets.token_hex(16)}"
    content_type, packed = mimetypes.guess_type(filename)
    if content_type is None or packed:  # the type is then of what was packed
        content_type = "application/octet-stream"
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{_quoted(field)}"; filename="{_quoted(filename)}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    body = b"".join((head.encode(), content, f"\r\n--{boundary}--\r\n".encode()))
    form = f"multipart/form-data; {BOUNDARY}{boundary}"
    return Payload(name, "file", form, body, content_bytes=len(content), source=filename)


def base64_payload(name: str, content: bytes, field: str) -> Payload:
    """A JSON body whose one field is the file as base64: 4/3 of the file's size."""
    body = json.dumps({field: base64.b64encode(content).decode()}).encode()
    return Payload(name, "base64", "application/json", body, content_bytes=len(content), source=name)


def _name(kind: Kind, given: str, sources: list[str]) -> str:
    """The source's name in reports: its last part, unless another source has the same."""
    last_parts = [Path(source).absolute().name for source in sources]
    last = Path(given).absolute().name
    shown = last if last_parts.count(last) == 1 else given
    return f"{shown} (base64)" if kind == "base64" else shown


def _files(kind: Kind, given: str) -> list[Path]:
    if not given:
        raise ConfigError(f"--{kind} is empty; name a file, a folder or a pattern")
    path = Path(os.path.expanduser(given))  # noqa: PTH111 - Path's own raises where there is no such user
    try:
        found = _found(kind, path)
    except OSError as error:  # somebody gave the body itself, which is too long for a name
        raise ConfigError(f"--{kind}: {given!r} is not a file's name ({error.strerror})") from None
    if not found:
        missing = f"folder {given!r} holds no file" if path.is_dir() else f"file {given!r} does not exist"
        raise ConfigError(f"--{kind}: {missing}")
    return found


def _found(kind: Kind, path: Path) -> list[Path]:
    if path.is_dir():
        pattern = "*.json*" if kind == "json" else "*"
        return sorted(file for file in path.glob(pattern) if file.is_file() and not file.name.startswith("."))
    if path.exists():
        return [path]
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    return sorted(Path(match) for match in matches if Path(match).is_file())


def _read(kind: Kind, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"--{kind}: {str(path)!r} cannot be read ({error.strerror})") from None
    if not (content.strip() if kind == "json" else content):
        raise ConfigError(f"--{kind}: {str(path)!r} is empty; give a file with something to infer from")
    return content


def _inputs(parsed: Any) -> int | None:
    for place in (parsed.get("data"), parsed) if isinstance(parsed, dict) else ():
        if isinstance(place, dict) and isinstance(rows := place.get("req_data"), list):
            return len(rows)
    return None


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
