"""Load shapes, for Locust's picker and for a locustfile: whatever `LoadTestShape` it finds there sets the load."""

from locust import LoadTestShape

USERS = 100  # who share the rate, whatever it is: their number has no meaning


class CapacitySearch(LoadTestShape):
    """Searches for the highest rate that keeps the objectives, as `loadgate capacity` does, with the same options."""

    def tick(self) -> tuple[int, float] | None:
        """As many users from the first moment to the end: what changes is the rate of each."""
        session = self.runner.environment.loadgate  # type: ignore[union-attr] # `loadgate.user` puts it there
        return (USERS, USERS) if session.goes_on() else None


SHAPES: dict[str, type[LoadTestShape]] = {shape.__name__: shape for shape in (CapacitySearch,)}
