"""Runs and samples made by hand."""

import csv
import json
from pathlib import Path

import numpy as np

from analysis.choices import Choices
from analysis.readers.run_directory import read_run
from analysis.run_format import FAILURE_COLUMNS, LATENCY_COLUMNS, MEASURES, NOTABLE_COLUMNS, TIMELINE_COLUMNS
from analysis.samples import OUTCOMES, Samples
from analysis.summary import summarize
from analysis.window import window_of

COUNTS = ("planned", "sent", "finished", "dropped", "unfinished", "resent")


def manifest_of(**changes):
    manifest = {
        "format": 1,
        "state": "complete",
        "versions": {"loadgate": "0.1.0", "python": "3.11.7", "locust": "2.47.0"},
        "started_at": "2026-11-24T22:10:00.123Z",
        "ended_at": "2026-11-24T22:10:20.456Z",
        "name": "json",
        "seed": 1,
        "target": "http://127.0.0.1:8080/v1/infers/1",
        "gateway": {"name": "modelarts", "timeout_s": 40.0, "grace_s": 5.0, "body_limit_bytes": 12582912},
        "load": {
            "model": "open",
            "arrivals": "constant",
            "rate_per_s": None,
            "users": 1,
            "think_time_s": None,
            "duration_s": None,
            "ramp_s": 0.0,
            "max_in_flight": 10000,
        },
        "payloads": [{"name": "iris.json", "kind": "json", "count": 1, "largest_wire_bytes": 420, "over_limit": 0}],
        "workers": 1,
        "probe": None,
        "counts": None,
    }
    manifest["load"] |= changes.pop("load", {})
    return manifest | changes


def counts_of(**counts):
    return dict.fromkeys(COUNTS, 0) | counts


def write_csv(path: Path, columns, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_run(run_dir: Path, latency=(), *, timeline=None, failures=None, notable=(), **manifest):
    """Write a run; timeline, failures and the manifest's counts agree with *latency* unless they are given."""
    write_csv(run_dir / "latency.csv", LATENCY_COLUMNS, latency)
    outcomes = [(row[2], row[5]) for row in latency if row[3] == "response"]
    planned = sum(count for _, count in outcomes)
    dropped = sum(count for outcome, count in outcomes if outcome == "dropped")
    unfinished = sum(count for outcome, count in outcomes if outcome == "unfinished")
    sent, finished = planned - dropped, planned - dropped - unfinished
    if timeline is None:
        timeline = [(0, 1, 1, planned, sent, finished, dropped, 0, 1, 0.1, 0.2, 0.3, 0.0)]
    counts = counts_of(planned=planned, sent=sent, finished=finished, dropped=dropped, unfinished=unfinished)
    write_csv(run_dir / "timeline.csv", TIMELINE_COLUMNS, timeline)
    if failures is None:
        failures = [failure(row[2], row[5]) for row in latency if row[3] == "response" and row[2] != "ok"]
    write_csv(run_dir / "failures.csv", FAILURE_COLUMNS, failures)
    write_csv(run_dir / "notable.csv", NOTABLE_COLUMNS, notable)
    content = manifest_of(**({"counts": counts} | manifest))
    (run_dir / "run.json").write_text(json.dumps(content), encoding="utf-8")
    return run_dir


def failure(outcome, count, by="", reason="", status="", code="", message="", *, second=0, name="json"):
    """A row of failures.csv."""
    return second, name, outcome, by, reason, status, code, message, count


def samples_of(*rows, names=("a", "b")):
    """Rows of (second, name, outcome, measure, value_us, count)."""
    coded = [
        (second, names.index(name), OUTCOMES.index(outcome), MEASURES.index(measure), value, count)
        for second, name, outcome, measure, value, count in rows
    ]
    return Samples(*np.array(coded, np.int64).reshape(-1, 6).T, names=names)


def summary_of(run_dir: Path, **choices):
    run, chosen = read_run(run_dir), Choices(**choices)
    return summarize(run, chosen, window_of(run, chosen))
