"""Sentences under the latency table: what a `-` would take, and what the gateway said of the time."""

from collections.abc import Mapping
from typing import Any

from analysis.run_format import BACKEND, GATEWAY, SERVICE
from analysis.wording import estimate_text, length_text


def notes(summary: Mapping[str, Any]) -> list[str]:
    return [*unsupported(summary), *gateway_part(summary)]


def unsupported(summary: Mapping[str, Any]) -> list[str]:
    """Say for each percentile printed as `-` how long a run would support it: of the main measure, and of another
    where the main one has it.
    """
    main, wanted = summary["main"], list(summary["percentiles"])
    said = [f"{name}{_needs(summary['latency'][main][name])}" for name in wanted if _missing(summary, main, name)]
    said += [
        f"{name} of {measure}{_needs(figures[name])}"
        for measure, figures in summary["latency"].items()
        for name in wanted
        if measure != main and not _missing(summary, main, name) and _missing(summary, measure, name)
    ]
    return said


def _missing(summary: Mapping[str, Any], measure: str, name: str) -> bool:
    estimate = summary["latency"][measure][name]
    return estimate["value_s"] is None and bool(estimate["needs_s"])


def _needs(estimate: Mapping[str, Any]) -> str:
    return f" takes a run of about {length_text(estimate['needs_s'])} at this rate."


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
