"""The words of a report, each with its meaning: measures, outcomes, cautions, and how percentiles are made."""

from collections.abc import Mapping
from typing import Any

from analysis.outcomes import MEANING
from analysis.run_format import BACKEND, CONNECT, FIRST_BYTE, GATEWAY, LATENESS, RESPONSE, SERVICE, UPLOAD
from analysis.wording import share_text

Definitions = dict[str, Mapping[str, str]]

MEASURES = {
    RESPONSE: "From the planned time to the last byte: what a user feels, waiting in line included.",
    SERVICE: "From sending to the last byte: what the gateway and the model took.",
    LATENESS: "From the planned time to sending: the generator's own delay.",
    FIRST_BYTE: "From sending to the first byte of the answer.",
    UPLOAD: "From sending to the last byte of the body handed over.",
    CONNECT: "Setting up TCP and TLS, where a request had to wait for it.",
    GATEWAY: "The gateway's own part of the time, as the gateway says.",
    BACKEND: "From the gateway's sending to the head of the model's answer, as it says, in whole milliseconds.",
}
CAUTIONS = {
    "nothing_measured": "No request was answered well, so there is no latency.",
    "counts_differ": "The counts of requests in the run's files and in its generator do not agree.",
    "worker_lost": "A process of the generator went away in mid-run.",
    "worker_away": "A process of the generator was not there all the time; what it sent is counted.",
    "arrivals_dropped": "Planned requests were not sent, because too many were in flight.",
    "below_rate": "Fewer requests were planned than the load asked for.",
    "generator_late": "Requests left so late that the latencies changed.",
    "generator_limit": "A search for the capacity came to the end of its generator, not of the service.",
    "incomplete": "The run did not end by itself.",
    "line_cut": "A file's last line was cut off while it was written.",
    "other_tool": "Another tool recorded the run, without a plan: how late its requests left is not known.",
    "generator_busy": "A process of the generator was short of CPU.",
    "in_flight_differs": "Rate and times do not fit the number of requests in flight.",
    "clock_step": "The time of day was set, or the machine slept, during the run.",
    "no_steady_state": "The latencies did not settle, so they depend on when the run ended.",
    "mostly_failed": "Most requests failed, so the latencies are of few.",
    "few_requests": "Too few latencies for the highest percentile asked for, up to p99.",
    "timeouts_early": "Timeouts came long before the limit that they are counted at.",
    "correlated": "Requests close in time are so alike that the intervals are much wider for it.",
    "requests_resent": "Requests were sent twice, because a kept-alive connection had been closed.",
}


def definitions(confidence: float) -> Definitions:
    """List every word of a report by its kind; *confidence* is that of the intervals, as a share of 1."""
    outcomes: Mapping[Any, str] = MEANING
    return {
        "Measures": MEASURES,
        "Percentiles": _percentiles(share_text(confidence, 1)),
        "Outcomes": {str(outcome): text for outcome, text in outcomes.items()},
        "Cautions": {name.replace("_", " "): text for name, text in CAUTIONS.items()},
    }


def _percentiles(confidence: str) -> dict[str, str]:
    return {
        "p99": "The time that 99 of 100 requests did not exceed: of n requests the (0.99 n)-th fastest, rounded up, so"
        " a time that one of them took.",
        "of which requests": "Those that were ok, and those that waited in vain: a timeout took at least as long as was"
        " waited. Refused requests are counted, and left out, because a fast refusal must not make p50 look better.",
        ">=": "The percentile falls on a request that never got an answer, and only this bound is known.",
        "-": "Nothing was measured, or too few requests for this percentile.",
        "interval": f"Below each percentile: where its true value lies with {confidence} confidence, from order"
        " statistics, wider where requests close in time are alike.",
        "max": "The largest time of this run. It says little of another run, so it has no interval.",
        "planned, sent, ok": "When the load was to send a request, when it left, and whether its answer passed its"
        " check.",
        "window": "The part of the run that latencies and rates are about; outcomes and failures are of all of it.",
    }
