"""Files as large as tools record them, made by arithmetic: the same each time."""

from io import TextIOWrapper
from pathlib import Path

import numpy as np

from analysis import run_format
from analysis.run_format import bucketed
from loadgate.histogram import Row, histogram
from loadgate.run_directory import RunDirectory

BLOCK = 100_000
JTL = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect"
)
STARTED_MS = 1_764_000_000_000
STARTED_AT = "2025-11-24T16:00:00.000Z"


def write_jtl(path: Path, rows: int) -> Path:
    """Write an hour of *rows* requests of five names, 1 % of them refused and 0.5 % cut at 40 s."""
    rng = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(JTL + "\n")
        for start in range(0, rows, BLOCK):
            _write_jtl_block(file, rng, np.arange(start, min(start + BLOCK, rows)) * 3_600_000 // rows)
    return path


def _write_jtl_block(file: TextIOWrapper, rng: np.random.Generator, at_ms: np.ndarray) -> None:
    elapsed = np.rint(80 * np.exp(0.4 * rng.standard_normal(len(at_ms)))).astype(int)
    kind, name = rng.random(len(at_ms)), rng.integers(0, 5, len(at_ms))
    for at, took, share, which in zip(at_ms.tolist(), elapsed.tolist(), kind.tolist(), name.tolist(), strict=True):
        code, words, took = (504, "Gateway Timeout", 40_000) if share < 0.005 else (200, "OK", took)
        code, words, took = (429, "Too Many Requests", 3) if share > 0.99 else (code, words, took)
        ok = "true" if code == 200 else "false"
        file.write(
            f"{STARTED_MS + at},{took},infer {which},{code},{words},Thread Group 1-{at % 200 + 1},text,{ok},,512,2048,"
            f"200,200,http://127.0.0.1:8080/v1/infers/1,{max(took - 2, 0)},0,0\n"
        )


def write_run(folder: Path, seconds: int, rate: int) -> Path:
    """Write a run directory of so many seconds at *rate* requests/s, counted and written as loadgate does."""
    rng = np.random.default_rng(1)
    run = RunDirectory(folder, _manifest(seconds, rate), advice={})
    for second in range(seconds):
        timeline = (second, rate, rate, rate, rate, rate, 0, 0, 85, 0.2, 0.5, 0.3, 0)
        run.append({"latency": _second(rng, second, rate), "timeline": [timeline], "failures": [], "notable": []})
    run.close("complete")
    return folder


def _second(rng: np.random.Generator, second: int, rate: int) -> list[Row]:
    service = 80_000 * np.exp(0.4 * rng.standard_normal(rate))
    lateness = 55 * np.exp(0.35 * rng.standard_normal(rate))
    upload = 38 * np.exp(0.25 * rng.standard_normal(rate))
    times = {
        run_format.RESPONSE: service + lateness,
        run_format.SERVICE: service,
        run_format.LATENESS: lateness,
        run_format.FIRST_BYTE: service - 20,
        run_format.UPLOAD: upload,
    }
    times_us = np.full((len(run_format.MEASURES), rate), -1)
    for measure, values in times.items():
        times_us[run_format.MEASURES.index(measure)] = bucketed(values.astype(np.int64))
    codes = np.zeros(rate, np.int64)
    return list(histogram(codes + second, codes, codes, times_us, ["iris.json"]).rows())


def _manifest(seconds: int, rate: int) -> dict[str, object]:
    counts = {"planned": seconds * rate, "sent": seconds * rate, "finished": seconds * rate}
    return {
        "format": run_format.FORMAT,
        "state": "complete",
        "name": "hour",
        "target": "http://127.0.0.1:8080/v1/infers/1",
        "started_at": STARTED_AT,
        "gateway": {"name": "modelarts", "timeout_s": 40.0, "grace_s": 5.0, "body_limit_bytes": 12 << 20},
        "load": {"model": "open", "arrivals": "constant", "rate_per_s": rate, "duration_s": seconds, "ramp_s": 0},
        "counts": counts | dict.fromkeys(("dropped", "unfinished", "resent"), 0),
    }
