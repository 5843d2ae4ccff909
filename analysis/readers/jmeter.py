"""JMeter's JTL: a CSV with a row per sample. Columns in any order; those that a test plan switched off are absent."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.outcomes import Outcome
from analysis.readers.cells import by_text, epoch_milliseconds, flags, small_numbers, whole_milliseconds
from analysis.readers.clock import Clock
from analysis.readers.columns import Column
from analysis.readers.failure_counts import Vocabulary, Way, is_timeout, status_in
from analysis.readers.headers import header_of
from analysis.readers.recorded import NO_PLAN, STATUS_ALONE, read_recorded
from analysis.readers.recording import CODES, Recording, Rows
from analysis.readers.statuses import outcome_of
from analysis.run import Run
from analysis.run_format import CONNECT, FIRST_BYTE, SERVICE
from analysis.samples import IS_CENSORED, UNMEASURED

Whole = NDArray[np.int64]

KIND = "JMeter JTL"
NEEDED = ("timeStamp", "elapsed")
NOTES = (
    NO_PLAN,
    "Times are in whole milliseconds, and include setting up the connection where a request had to.",
    STATUS_ALONE,
)

# A transaction controller writes a row of its own: the sum of its samples, which is no request.
_TRANSACTION = "Number of samples in transaction"
_NO_ANSWER, _NO_ANSWER_MESSAGE = "Non HTTP response code: ", "Non HTTP response message: "


def read_jtl(paths: Sequence[Path], timeout_s: float | None) -> Run:
    """Read JTL files of one run."""
    return read_recorded(paths, KIND, _read_file, NOTES, timeout_s)


def _read_file(path: Path, recording: Recording) -> None:
    optional: dict[str, Callable[[], Column]] = {
        "label": recording.names.column,
        "responseCode": recording.vocabulary.column,
        "responseMessage": partial(_messages, recording),
        "failureMessage": recording.vocabulary.column,
        "success": flags,
        "allThreads": small_numbers,
        "Latency": whole_milliseconds,
        "Connect": whole_milliseconds,
    }
    header = header_of(path)
    columns = {"timeStamp": epoch_milliseconds(), "elapsed": whole_milliseconds()}
    columns |= {name: column() for name, column in optional.items() if name in header}
    clock, transactions = Clock(), 0
    for block in recording.blocks(path, columns):
        clock.watch(block["timeStamp"] + block["elapsed"])
        transactions += _add(path.name, block, recording)
    recording.watch(clock, path.name)
    if transactions:
        recording.notes.append(
            f"{path.name}: {transactions:,} rows are sums of a transaction controller, not requests, and left out."
        )


def _messages(recording: Recording) -> Column:
    """Read responseMessage; the sums of transactions say how many samples they are of, each in words of its own."""
    word = recording.vocabulary.word
    word(_TRANSACTION)  # before there is no room left
    return by_text(lambda text: word(_TRANSACTION if text.startswith(_TRANSACTION) else text), "a text")


def _add(file: str, block: Mapping[str, NDArray[Any]], recording: Recording) -> int:
    """Add the requests of *block*, and count the rows that are none."""
    start_us, elapsed_us = block["timeStamp"], block["elapsed"]
    unknown = np.zeros(len(start_us), np.int64)
    code, message, check = (block.get(name, unknown) for name in ("responseCode", "responseMessage", "failureMessage"))
    is_request = message != recording.vocabulary.word(_TRANSACTION)
    judge = partial(_judged, recording.vocabulary, has_code="responseCode" in block)
    outcome = recording.outcomes([code, message, check, block.get("success", unknown - 1)], judge, is_request)
    times_us = {SERVICE: elapsed_us}
    if "Latency" in block:
        times_us[FIRST_BYTE] = _first_byte_us(block["Latency"], elapsed_us, outcome)
    if "Connect" in block:
        times_us[CONNECT] = np.where(block["Connect"] > 0, block["Connect"], UNMEASURED)  # 0: it was reused
    rows = Rows(
        file,
        start_us,
        block["label"] if "label" in block else unknown + recording.names.code("all requests"),
        outcome,
        times_us,
        end_us=start_us + elapsed_us,
        users=block.get("allThreads"),
    )
    recording.add(rows if is_request.all() else rows.where(is_request))
    return int(np.count_nonzero(~is_request))


def _first_byte_us(latency_us: Whole, elapsed_us: Whole, outcome: NDArray[np.int8]) -> Whole:
    """Give the time to the first byte: one that never came was waited for until the end."""
    without_it = np.where(IS_CENSORED[outcome], elapsed_us, np.where(outcome == CODES[Outcome.OK], 0, UNMEASURED))
    return np.where(latency_us > 0, latency_us, without_it)


def _judged(vocabulary: Vocabulary, code: int, message: int, check: int, success: int, *, has_code: bool) -> Way:
    """Without response codes a failure is one of a check, unless its words speak of a timeout."""
    verdict = None if success < 0 else bool(success)
    status = status_in(code)
    timed_out = any(map(is_timeout, (code, message, check)))
    if has_code or timed_out:
        outcome = outcome_of(status, success=verdict, timed_out=timed_out)
    else:
        outcome = Outcome.BAD_ANSWER if verdict is False else Outcome.OK
    error_code = vocabulary.text(code).removeprefix(_NO_ANSWER) if status is None else ""
    words = vocabulary.text(check) or vocabulary.text(message).removeprefix(_NO_ANSWER_MESSAGE)
    return outcome, status, error_code, words
