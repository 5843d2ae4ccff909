"""The header line of a file, by which its format is told; what has none is refused with what to do."""

import csv
import re
from pathlib import Path

from analysis.errors import BadRun

MOST_BYTES = 65_536  # of a header
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


def header_of(path: Path) -> list[str]:
    """Read the column names of *path*. Raises BadRun where there is no header to read."""
    begin = _beginning(path)
    line, end, _ = begin.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    if not end and b"\r" in line[:-1]:  # at the very end it is a CR LF cut off
        raise _cr_alone(path)
    if not end:
        raise unreadable(path, f"its first line does not end{' within 64 KiB' if len(begin) == MOST_BYTES else ''}")
    text = line.decode("utf-8", "backslashreplace").strip()
    if re.match(r"\d{13},\d+,", text):
        raise BadRun(
            f"{path.name} looks like a JTL without its header line: have JMeter write it"
            f" (jmeter.save.saveservice.print_field_names=true), or put it there, as {_JTL_HEADER}"
        )
    try:
        return [name.strip() for name in next(csv.reader([text]), [])]
    except csv.Error:
        raise _cr_alone(path) from None


def _cr_alone(path: Path) -> BadRun:
    return unreadable(path, "its lines end with CR alone, and LF or CR LF is read")


def unreadable(path: Path, why: str) -> BadRun:
    return BadRun(f"{path.name} cannot be read: {why}. {READABLE}")


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            begin = file.read(MOST_BYTES)
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
    return begin
