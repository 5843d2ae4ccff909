"""The truth file: one CSV row for every inference request, as the service itself saw it."""

import csv
import io
from collections.abc import Callable, Iterable
from typing import TextIO

COLUMNS = (
    "arrival_s",  # request head seen by the gateway; all times are of time.monotonic()
    "start_s",  # a slot of the model was got; empty: not by the time the exchange ended
    "end_s",  # last byte of the answer handed to the transport, or the exchange given up
    "status",  # HTTP status sent; empty: none was
    "code",  # error_code sent; empty: not a gateway's refusal
    "bytes",  # request body by Content-Length, by what was read where there is none
    "model",  # json, file, base64; empty: no model has read the body
    "fault",  # injected fault that took effect
    "uuid",  # the request's meta.uuid, where the model has read it
    "request_id",  # X-Request-Id of the answer
)

Row = tuple[object, ...]


class Truth:
    """Collects rows and writes them when told to; the request path never waits for the disk."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file
        self._rows: list[Row] = []
        self.add: Callable[[Row], None] = self._rows.append if file else _ignore
        self._write([COLUMNS])

    def flush(self) -> None:
        """Write what was added since the last time. Raises OSError."""
        if self._rows:
            self._write(self._rows)
            self._rows.clear()

    def _write(self, rows: Iterable[Row]) -> None:
        if self._file is None:
            return
        # Whole lines in one write: a reader of the growing file, or of what a crash left, sees few half rows.
        lines = io.StringIO(newline="")
        csv.writer(lines, lineterminator="\n").writerows(rows)
        self._file.write(lines.getvalue())
        self._file.flush()


def _ignore(_row: Row) -> None:
    pass
