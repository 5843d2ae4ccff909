"""A caution, and the evidence that the checks for one look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.choices import Choices
from analysis.population import Population, main_measure
from analysis.run import Run
from analysis.window import Window


@dataclass(frozen=True)
class Caution:
    name: str
    serious: bool  # makes the run invalid
    text: str  # what was found, with its figure and what is allowed
    advice: str


@dataclass(frozen=True)
class Evidence:
    """What the checks look at."""

    run: Run
    outcomes: Mapping[str, int]  # of the whole run
    populations: Mapping[str, Population]  # of the window, as is `latency`
    window: Window
    choices: Choices
    latency: Mapping[str, Any]  # {measure: {percentile: estimate}}, as in summary.json
    searched: Mapping[str, Any] | None = None  # the answer of a search for the capacity, as in summary.json

    @property
    def requests(self) -> int:
        return sum(self.outcomes.values())

    @property
    def measure(self) -> str:
        """What the latencies are: the response, or the service time where no response was measured."""
        return main_measure(self.populations)

    @property
    def measured(self) -> Population:
        return self.populations[self.measure]

    @property
    def by_itself(self) -> bool:
        """Whether the generator wrote the run to its end: then nothing is in flight any more."""
        in_flight = self.run.timeline.in_flight
        return bool(len(in_flight)) and in_flight[-1] == 0 and self.run.manifest.get("counts") is not None
