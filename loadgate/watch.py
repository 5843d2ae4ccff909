"""Objectives that end a run while it goes on: `p99<800ms over 30s stop`.

What is still in flight counts in latencies with the age it has, so a service that no longer answers misses its
objective while it hangs, not once it answers. Latencies and the rate are of the requests *planned* in the last
seconds.

Shares and the rate of good answers are of those that *ended* then, whenever they were planned: of the requests planned
in the last seconds, those that failed at once have ended, those that will be answered have not, and none has timed out
yet. For the same reason they are of the time after those planned first have all ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.objectives.figures import Part
from analysis.objectives.judgement import MISSED, Judged, judge
from analysis.objectives.objective import OK_RATE, SHARE, Objective
from analysis.population import bounded
from analysis.run_format import RESPONSE
from loadgate.live_samples import LiveSamples, Seen

CONFIDENCE = 0.9999  # every second is a chance to be wrong, and an hour has 3,600


class Watch:
    """The last seconds of a run, and what is in flight in each of the *senders* processes that send."""

    def __init__(
        self, objectives: Iterable[Objective], timeout_s: float | None, senders: int, ramp_s: float = 0.0
    ) -> None:
        self._objectives = [each for each in objectives if each.stop_after_s is not None]
        longest_s = max((each.stop_after_s or 0 for each in self._objectives), default=0.0)
        self._timeout_s, self._ramp_s = timeout_s, ramp_s  # the ramp is ours: it is not judged
        self._live = LiveSamples(senders, longest_s, ramp_s)

    def see(self, sender: str, report: Mapping[str, Sequence[Any]]) -> Seen | None:
        """Take in the rows of one process; what is known now, if that is worth judging anew."""
        return self._live.see(sender, report) if self._objectives else None

    def missed(self, seen: Seen) -> Judged | None:
        """The first objective that the last seconds miss. Touches nothing else: it may run in another thread."""
        for objective in self._objectives:
            from_s, of_ended = seen.over_s - int(objective.stop_after_s or 0), _is_of_ended(objective)
            if from_s >= (seen.even_s if of_ended else self._ramp_s):
                chosen = (seen.ended_in if of_ended else seen.planned)(from_s, seen.over_s)
                part = Part(bounded(chosen, self._timeout_s), None, from_s, seen.over_s)
                found = judge(objective, part, RESPONSE, CONFIDENCE)
                if found.result == MISSED:
                    return found
        return None


def _is_of_ended(objective: Objective) -> bool:
    return objective.unit == SHARE or objective.figure == OK_RATE
