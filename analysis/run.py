"""What was read: a run of loadgate, or what another tool recorded of its own."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.failures import Failure
from analysis.population import Population, bounded, population_of
from analysis.samples import Samples
from analysis.timeline import Timeline

if TYPE_CHECKING:
    from analysis.capacity.record import Record

LOADGATE = "loadgate"
LATENCY_FILE = "loadgate latency.csv"
CLOCK_STEP_S = 2.0  # rows of concurrent requests may change places by this much


@dataclass(frozen=True)
class Source:
    """Where a run was read from. `notes` are what its format cannot tell, in sentences for the report."""

    kind: str  # LOADGATE, LATENCY_FILE, "JMeter JTL", "k6 CSV", ...
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    known: tuple[Fraction, ...] | None = None  # the only percentiles that an aggregate has; None: it has them all
    clock_step_s: float = 0.0  # how far the time goes back between rows of a file; 0: by no more than CLOCK_STEP_S

    @property
    def is_own(self) -> bool:
        """Whether loadgate made it, and so knew when each request was due."""
        return self.kind in (LOADGATE, LATENCY_FILE)


@dataclass(frozen=True)
class Run:
    manifest: dict[str, Any]  # as in run.json; of another tool what is known, the rest null
    samples: Samples
    timeline: Timeline
    notable: list[dict[str, Any]]  # by NOTABLE_COLUMNS, in the order of time
    failures: list[Failure] | None = None  # the most frequent first; None: the run has no such file
    cut: tuple[str, ...] = ()  # files whose last line was cut off
    source: Source = Source(LOADGATE, ())
    record: "Record | None" = None  # of a run that searched for the capacity

    @cached_property
    def bounded(self) -> Samples:
        """The samples with timeouts at the times that `population.bounded` gives them: latencies are of these."""
        return bounded(self.samples, self.manifest["gateway"].get("timeout_s"))

    def population(self, measure: str) -> Population:
        """Sort the times of *measure*, of all of the run: once for all who ask."""
        if measure not in self._populations:
            self._populations[measure] = population_of(self.bounded, measure)
        return self._populations[measure]

    @cached_property
    def _populations(self) -> dict[str, Population]:
        return {}

    @property
    def duration_s(self) -> float | None:
        """How long requests were planned: as ordered if the run got that far, else as seen; None before the
        first.
        """
        ordered = self.manifest["load"].get("duration_s")
        if self.manifest["state"] == "complete" and ordered:
            return float(ordered)
        return float(self.samples.second.max() + 1) if len(self.samples.second) else None
