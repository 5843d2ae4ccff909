"""metrics.txt: a run's figures as OpenMetrics text, which GitLab compares between the branches of a merge request.

GitLab tells metrics apart by their names and labels. What was not measured is left out. So is every figure of an
invalid run: a bare number would not say so, and would be what the next merge request is compared with. A percentile of
which only a bound is known has another name, so that no bound is compared with a time.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.report import EXIT_CODES
from analysis.report.verdict import OWN

METRICS_TXT = "metrics.txt"
VERDICT = "loadgate_verdict"

Sample = tuple[str, float]  # its labels, as OpenMetrics writes them, and its value


def metrics(summary: Mapping[str, Any]) -> bytes:
    """Write the figures of *summary*: times in seconds, rates per second."""
    lines = list(_family(VERDICT, "stateset", _verdict(summary)))
    if summary["verdict"] != "invalid":
        lines += _figures(summary)
    return "".join(f"{line}\n" for line in [*lines, "# EOF"]).encode()


def _figures(summary: Mapping[str, Any]) -> Iterator[str]:
    main = summary["main"]
    yield from _family(f"loadgate_{main}_seconds", "gauge", _percentiles(summary, censored=False), "seconds")
    yield from _family(f"loadgate_{main}_at_least_seconds", "gauge", _percentiles(summary, censored=True), "seconds")
    for name, key in _rates(summary):
        per_s = summary["rate"][key]
        yield from _family(f"loadgate_{name}_per_second", "gauge", [] if per_s is None else [("", per_s)])
    requests = [(f'{{outcome="{outcome}"}}', count) for outcome, count in summary["outcomes"].items()]
    yield from _family("loadgate_requests", "gauge", requests)


def _family(name: str, kind: str, samples: list[Sample], unit: str = "") -> Iterator[str]:
    """Write metrics of one name; nothing where there is none of them."""
    if samples:
        yield f"# TYPE {name} {kind}"
        if unit:
            yield f"# UNIT {name} {unit}"
    for labels, value in samples:
        yield f"{name}{labels} {value!r}"


def _verdict(summary: Mapping[str, Any]) -> list[Sample]:
    return [(f'{{{VERDICT}="{verdict}"}}', int(verdict == summary["verdict"])) for verdict in EXIT_CODES]


def _percentiles(summary: Mapping[str, Any], *, censored: bool) -> list[Sample]:
    figures = summary["latency"][summary["main"]]
    return [
        (f'{{percentile="{name}"}}', figures[name]["value_s"])
        for name in summary["percentiles"]
        if figures[name]["value_s"] is not None and figures[name]["censored"] is censored
    ]


def _rates(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name the rates that are known; of another tool's run nobody knows what was planned."""
    planned = [("planned", "planned_per_s")] if summary["source"]["kind"] in OWN else []
    return [("ok", "ok_per_s"), ("sent", "sent_per_s"), *planned]
