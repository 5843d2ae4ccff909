"""Sentences under the latency table: what a `-` would take, and what the gateway said of the time."""

from collections.abc import Mapping
from typing import Any

from analysis.report.verdict import main_measure
from analysis.run_format import BACKEND, GATEWAY, SERVICE
from analysis.wording import estimate_text, length_text


def notes(summary: Mapping[str, Any]) -> list[str]:
    return [*unsupported(summary), *gateway_part(summary)]


def unsupported(summary: Mapping[str, Any]) -> list[str]:
    """Say for each percentile of the main measure printed as `-` how long a run would support it."""
    figures = summary["latency"][main_measure(summary["latency"])]
    return [
        f"{name} takes a run of about {length_text(figures[name]['needs_s'])} at this rate."
        for name in summary["percentiles"]
        if figures[name]["value_s"] is None and figures[name]["needs_s"]
    ]


def gateway_part(summary: Mapping[str, Any]) -> list[str]:
    """Say what of the service time was whose, as far as the gateway said so; medians, each of its own."""
    latency = summary["latency"]
    said = [measure for measure in (GATEWAY, BACKEND) if measure in latency]
    if not said and latency[SERVICE]["n"] and summary["run"]["gateway"].get("latency_asked"):
        return ["The gateway was asked for its part of the time, and did not say."]
    if len(said) < 2 or "p50" not in summary["percentiles"]:
        return []
    medians = [latency[measure]["p50"] for measure in (SERVICE, BACKEND, GATEWAY)]
    if any(median["value_s"] is None for median in medians):
        return []
    service, backend, gateway = map(estimate_text, medians)
    told, n = min(latency[GATEWAY]["n"], latency[BACKEND]["n"]), latency[SERVICE]["n"]
    of_these = "" if told == n else f", of {told:,} of these {n:,} requests,"
    return [
        f"At p50, service is {service}; the gateway says{of_these} {backend} for the model's side and {gateway} for"
        " itself. Each is a median of its own, so they need not add up."
    ]
