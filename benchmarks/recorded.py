"""Files as large as tools record them, made by arithmetic: the same each time."""

import json
from io import TextIOWrapper
from pathlib import Path

import numpy as np

from analysis import run_format
from analysis.run_format import LATENCY_COLUMNS, TIMELINE_COLUMNS, bucketed

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
    """Write a run directory of so many seconds at *rate* requests/s, its histograms as loadgate folds them."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    with (folder / run_format.LATENCY).open("w", encoding="utf-8") as file:
        file.write(",".join(LATENCY_COLUMNS) + "\n")
        for second in range(seconds):
            file.writelines(_second(rng, second, rate))
    with (folder / run_format.TIMELINE).open("w", encoding="utf-8") as file:
        file.write(",".join(TIMELINE_COLUMNS) + "\n")
        file.writelines(f"{s},{rate},{rate},{rate},{rate},{rate},0,0,85,0.2,0.5,0.3,0\n" for s in range(seconds))
    (folder / run_format.MANIFEST).write_text(json.dumps(_manifest(seconds, rate)), encoding="utf-8")
    return folder


def _second(rng: np.random.Generator, second: int, rate: int) -> list[str]:
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
    lines = []
    for measure, values in times.items():
        found, counts = np.unique(bucketed(values.astype(np.int64)), return_counts=True)
        for value_us, count in zip(found.tolist(), counts.tolist(), strict=True):
            lines.append(f"{second},iris.json,ok,{measure},{value_us},{count}\n")
    return lines


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
