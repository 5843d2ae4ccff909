"""How long the model takes: a distribution named by its mean."""

import math
import random
from dataclasses import dataclass

SHAPES = {"constant": "", "exponential": "", "lognormal": "sigma", "gamma": "shape"}
"""The distributions, and what the second parameter of each is called (empty: it has none)."""


@dataclass(frozen=True)
class ServiceTime:
    """A distribution of seconds. Raises ValueError for parameters that cannot work."""

    name: str
    """One of SHAPES."""
    mean_s: float
    """Mean, whatever the distribution: the load of a run follows from it."""
    shape: float | None = None
    """`lognormal`: sigma of the logarithm; `gamma`: the shape. None for the others."""

    def __post_init__(self) -> None:
        if self.name not in SHAPES:
            raise ValueError(f"{self.name!r} is not a service time; it must be one of {', '.join(SHAPES)}")
        if not 0 <= self.mean_s < math.inf:
            raise ValueError(f"a mean service time of {self.mean_s:g} s; it must be 0 or more")
        parameter = SHAPES[self.name]
        if not parameter and self.shape is not None:
            raise ValueError(f"{self.name} takes a mean only, as in {self.name}:100ms")
        if parameter and (self.shape is None or not 0 < self.shape < math.inf):
            raise ValueError(f"{self.name} takes a mean and a {parameter} above 0, as in {self.name}:100ms,0.5")

    def draw(self, chance: random.Random) -> float:
        """Seconds one request takes."""
        if self.mean_s == 0:
            return 0.0
        match self.name, self.shape:
            case "exponential", None:
                return chance.expovariate(1 / self.mean_s)
            case "lognormal", float() | int() as sigma:
                return chance.lognormvariate(math.log(self.mean_s) - sigma * sigma / 2, sigma)
            case "gamma", float() | int() as shape:
                return chance.gammavariate(shape, self.mean_s / shape)
        return self.mean_s
