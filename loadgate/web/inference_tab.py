"""The tab "Inference" of Locust's page: what Locust's own tables do not tell."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from analysis.lateness import allowed_s, lateness_over
from analysis.outcomes import MEANING, Outcome
from analysis.percentiles import PERCENTILES, estimates, largest
from analysis.population import population_of
from analysis.run_format import LATENESS, RESPONSE, SERVICE, TIMELINE_COLUMNS
from analysis.wording import count_text, estimate_text, share_text, time_text
from loadgate.gateway import Gateway
from loadgate.live_totals import Totals
from loadgate.web.tabs import Tab

CONFIDENCE = 0.95
LOST = "what a lost worker was to send is not sent"


@dataclass(frozen=True)
class Row:
    part: str
    what: str
    value: str
    note: str = ""


def tab(session: Any) -> Tab:
    """The tab of the `session`'s run."""
    columns = {"part": "Part", "what": "What", "value": "Value", "note": "Note"}
    return Tab("inference", "Inference", columns, lambda: _look(session))


def _look(session: Any) -> Callable[[], Iterable[dict[str, str]]]:
    before, after = list(_test(session)), [*_workers(session), *_payloads(session)]
    if session.totals is None:
        return lambda: map(asdict, before + after)
    totals, gateway, lost = session.totals.now(session.senders.lost), session.gateway, len(session.senders.lost)
    return lambda: map(asdict, [*before, *rows(totals, gateway, lost), *after])


def _test(session: Any) -> Iterator[Row]:
    if session.refused:
        yield Row("Test", "refused", "-", session.refused)
    if session.was_reset:
        yield Row("Test", "counted", "since the reset", "the report has all of the run")


def _workers(session: Any) -> Iterator[Row]:
    if session.senders.names:
        lost = len(session.senders.lost)
        note = f"{lost:,} lost: {LOST}" if lost else "all of them"
        yield Row("Generator", "workers", count_text(len(session.senders.names) - lost), note)


def _payloads(session: Any) -> Iterator[Row]:
    for weight in session.weights:
        yield Row("Payloads", weight.name, count_text(weight.count), weight.plans)


def rows(totals: Totals, gateway: Gateway, lost: int = 0) -> list[Row]:
    """Sum up a run that goes on, and that has `lost` so many workers."""
    return list(_rows(totals, gateway, lost))


def _rows(totals: Totals, gateway: Gateway, lost: int) -> Iterator[Row]:
    ended = totals.ended
    counts = ended.outcome_counts()
    total = sum(counts.values())
    for outcome, count in counts.items():
        share = share_text(count, total)
        yield Row("Outcomes", outcome, count_text(count), f"{share}: {MEANING[Outcome(outcome)]}")
    limit = "" if gateway.timeout_s is None else f"the gateway's limit is {time_text(gateway.timeout_s)}"
    for measure in (RESPONSE, SERVICE):
        population = population_of(ended, measure)
        for name, figure in zip(
            PERCENTILES, estimates(population, list(PERCENTILES.values()), CONFIDENCE), strict=True
        ):
            few = f"takes {figure.needed:,} requests" if figure.value_s is None and figure.needed else ""
            yield Row(measure.capitalize(), name, estimate_text(vars(figure)), few)
        yield Row(measure.capitalize(), "max", estimate_text(vars(largest(population))), limit)
    late, service = population_of(ended, LATENESS), population_of(ended, SERVICE)
    wrong = LOST if lost else lateness_over(late, service, CONFIDENCE)
    allowed = f"allowed at p99 is {time_text(allowed_s(service))}"
    yield Row("Generator", "valid", "no" if wrong else "so far" if late.n else "-", wrong or allowed)
    yield from _now(totals)


def _now(totals: Totals) -> Iterator[Row]:
    """What every process told last."""
    latest = [dict(zip(TIMELINE_COLUMNS, row, strict=True)) for row in totals.latest]
    lateness_ms = max((row["lateness_ms"] for row in latest if row["lateness_ms"] is not None), default=None)
    late = "-" if lateness_ms is None else time_text(lateness_ms / 1000)
    yield Row("Generator", "lateness", late, "of the latest request in the last second")
    cpu = max((row["cpu_share"] for row in latest if row["cpu_share"] is not None), default=None)
    yield Row("Generator", "CPU", "-" if cpu is None else share_text(cpu, 1), "of a core, in its busiest process")
    yield Row("Generator", "planned", f"{sum(row['planned'] for row in latest):,}/s", "in the last second")
    waiting = totals.waiting.of_measure(RESPONSE)
    yield Row("In flight", "requests", count_text(int(waiting.count.sum())), "planned, and not answered yet")
    oldest_s = float(waiting.value_us.max()) / 1e6 if len(waiting.value_us) else None
    yield Row("In flight", "oldest", time_text(oldest_s), "since it was planned")
