"""Load shapes, for Locust's picker and for a locustfile: whatever `LoadTestShape` it finds there sets the load."""

from collections.abc import Callable
from typing import Any

from locust import LoadTestShape

from loadgate import outlines
from loadgate.outlines import Outline

USERS = 100  # who share the rate, whatever it is: their number has no meaning


class CapacitySearch(LoadTestShape):
    """Searches for the highest rate that keeps the objectives, as `loadgate capacity` does, with the same options."""

    def tick(self) -> tuple[int, float] | None:
        """As many users from the first moment to the end: what changes is the rate of each."""
        session = self.runner.environment.loadgate  # type: ignore[union-attr] # `loadgate.user` puts it there
        if session.goes_on():
            return USERS, USERS
        session.finish()
        return None


class OfPeak(LoadTestShape):
    """A load with a peak and a length: Locust's number of users, and its run time.

    In the open model users are a rate, so its shape is one of the rate.
    """

    abstract = True
    use_common_options = True
    usual_s = 600.0  # where nobody says how long
    _load = (0, 0.0)

    users_at: Callable[[float, int, float], int]  # after so many seconds, of the peak and the duration

    @property
    def peak(self) -> int:
        """Users at the most."""
        return self._environment.parsed_options.num_users or 1

    @property
    def duration_s(self) -> float:
        """From the first user to the end."""
        options = self._environment.parsed_options
        return float(options.run_time or options.duration_s or self.usual_s)

    @property
    def ramp_s(self) -> float:
        """How long the load is on its way to what most of the run has."""
        return 0.0

    def tick(self) -> tuple[int, float] | None:
        """As many users as there are now, and all that changes at once; None at the end."""
        session = self._environment.loadgate
        if session.directory is None:  # it begins: at a change meanwhile Locust would have it begin once more
            self.reset_time()  # type: ignore[no-untyped-call] # Locust's
            self._load = (0, 0.0)
        # Locust asks about once a second.
        at_s = round(self.get_run_time())  # type: ignore[no-untyped-call] # Locust's
        if at_s >= self.duration_s:
            session.finish()
            return None
        users = self.users_at(at_s, self.peak, self.duration_s)
        if users != self._load[0]:  # no faster than that: Locust warns of more than 100 users a second, each time
            self._load = (users, float(abs(users - self._load[0])))
        return self._load

    @property
    def _environment(self) -> Any:
        return self.runner.environment  # type: ignore[union-attr] # it has one before it is asked anything


class Ramp(OfPeak):
    """From one user evenly up to the peak at the end: at which load does it give way?"""

    users_at = staticmethod(outlines.ramp)


class Soak(OfPeak):
    """The peak for a long time, after a short ramp: does it stay as it was?"""

    usual_s = 3600.0

    @property
    def ramp_s(self) -> float:
        return outlines.soak_ramp_s(self.duration_s)

    users_at = staticmethod(outlines.soak)


class Spike(OfPeak):
    """A tenth of the peak, all of it for a fifth of the time, and a tenth again: does it recover?"""

    users_at = staticmethod(outlines.spike)


class Steps(OfPeak):
    """Five equal steps up to the peak: what does each load cost?"""

    users_at = staticmethod(outlines.steps)


def outline_of(shape: LoadTestShape) -> Outline:
    """What to keep of a shape; of one that is not ours, its name."""
    name = type(shape).__name__
    return Outline(name, shape.peak, shape.ramp_s) if isinstance(shape, OfPeak) else Outline(name)


SHAPES: dict[str, type[LoadTestShape]] = {shape.__name__: shape for shape in (Ramp, Steps, Spike, Soak, CapacitySearch)}
