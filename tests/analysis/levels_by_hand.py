"""Levels and records of a search, made by hand."""

from analysis.capacity.level import Against, Level
from analysis.capacity.record import Record
from analysis.capacity.search import DOUBLING, Search

P99, ERRORS = "p99<100ms", "errors<1%"


def estimate(value_s):
    return {"value_s": value_s, "low_s": value_s * 0.9, "high_s": value_s * 1.1, "censored": False}


def level(rate_per_s, *, beyond=0, n=10_000, kind=DOUBLING, errors=0, mean_s=0.01, result=None, **changes):
    """A level of 40 s with so many of *n* requests beyond p99's limit, and so many errors (throttled)."""
    results = result or ("missed" if beyond > 0.02 * n else "met" if beyond < 0.005 * n else "undecided")
    of_errors = "missed" if errors > 0.02 * n else "met"
    found = (Against(P99, results, beyond, n, 0.01, 4.0), Against(ERRORS, of_errors, errors, n, 0.01, 1.0))
    outcomes = {name: count for name, count in (("ok", n - errors), ("throttled", errors)) if count}
    fields = {
        "outcomes": outcomes,
        "latency": {name: estimate(mean_s) for name in ("p50", "p90", "p99")},
        "mean_s": mean_s,
        "in_flight": rate_per_s * mean_s,
        "finished_per_s": n / 40.0,
    }
    times = {"length_s": 40.0, "took_s": 50.0}
    return Level(kind=kind, rate_per_s=rate_per_s, against=found, **times | fields | changes)


def record(*levels, **changes):
    asked = {"from_per_s": 50.0, "to_per_s": 10_000.0, "budget_s": 600.0, "seed": 1} | changes.pop("search", {})
    return Record(Search(**asked), (P99, ERRORS), levels=levels, **changes)
