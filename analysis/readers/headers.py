"""The header line of a file, by which its format is told; what has none is refused with what to do."""

import re
from pathlib import Path

from analysis.errors import BadRun
from analysis.readers.csv_batches import extent_of

LOOKED_AT = 65_536  # bytes: what is no text shows in them
READABLE = (
    "What can be read: a run directory of loadgate or its latency.csv, Locust's --csv files and its CsvRequestLogger,"
    " a JMeter JTL, k6's --out csv, and a CSV with a time column such as service_ms"
)

_JTL_HEADER = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect"
)
_BEGINNINGS = (
    (b"\x1f\x8b", "is compressed (gzip): unpack it first"),
    (b"PK", "is compressed (zip): unpack it first"),
    (b"<", "is XML: have JMeter write CSV (jmeter.save.saveservice.output_format=csv)"),
    (b"{", "is JSON, and only CSV is read (of k6: --out csv=FILE)"),
)


def header_of(path: Path) -> tuple[str, ...]:
    """Read the column names of *path*. Raises BadRun where there is no header to read."""
    _check_beginning(path)
    header = extent_of(path).header
    if not header:
        raise unreadable(path, "its first line does not end")
    if re.match(r"\d{13},\d+,", ",".join(header)):
        raise BadRun(
            f"{path.name} looks like a JTL without its header line: have JMeter write it"
            f" (jmeter.save.saveservice.print_field_names=true), or put it there, as {_JTL_HEADER}"
        )
    return header


def unreadable(path: Path, why: str) -> BadRun:
    return BadRun(f"{path.name} cannot be read: {why}. {READABLE}")


def _check_beginning(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise unreadable(path, "it is no file")
    try:
        with path.open("rb") as file:
            begin = file.read(LOOKED_AT)
    except OSError as error:
        raise BadRun(f"{path} cannot be read: {error.strerror}. {READABLE}") from None
    if not begin.strip():
        raise unreadable(path, "it is empty")
    for start, what in _BEGINNINGS:
        if begin.startswith(start):
            raise BadRun(f"{path.name} {what}. {READABLE}")
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise unreadable(path, "it is UTF-16, and only UTF-8 is read")
    if b"\0" in begin:
        raise unreadable(path, "it is binary")
