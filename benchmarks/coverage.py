"""How often the report's confidence intervals hold the true percentile, in runs whose truth is known."""

import math
from collections.abc import Iterator
from fractions import Fraction
from statistics import NormalDist

import click
import numpy as np
from numpy.typing import NDArray

from analysis.percentiles import Estimate, estimates
from analysis.population import population

PERCENTILES = {"p50": Fraction(1, 2), "p90": Fraction(9, 10), "p99": Fraction(99, 100)}
RHO = 0.5
LEVEL = 0.75  # deviation of the seconds' levels, by that of the requests within a second
SIGMA = 0.4  # of the logarithm of a time
MEDIAN_S = 0.1
KINDS = {
    "independent requests": "independent",
    f"seconds with levels of their own, AR(1) with rho {RHO}": "seconds",
    "each request shares half of its deviation with the next": "requests",
}

Numbers = NDArray[np.float64]


@click.command()
@click.option("--runs", type=click.IntRange(10), default=1000, show_default=True, help="Of each kind and seed.")
@click.option("--seeds", type=click.IntRange(1), default=4, show_default=True)
@click.option("--seconds", type=click.IntRange(1), default=300, show_default=True, help="Length of a run.")
@click.option("--rate", type=click.IntRange(1), default=20, show_default=True, help="Requests/s.")
def coverage(runs: int, seeds: int, seconds: int, rate: int) -> None:
    """Print the share of 95 % intervals that hold the truth, and how many runs supported the percentile."""
    click.echo(f"| {seeds} x {runs:,} runs of {seconds} s at {rate}/s | {' | '.join(PERCENTILES)} |")
    click.echo("|---|" + "---:|" * len(PERCENTILES))
    for words, kind in KINDS.items():
        of_all = [logs for seed in range(seeds) for logs in made(kind, seed, runs, seconds, rate)]
        click.echo(_row(words, of_all, kind, one_second=False))
        if kind == "seconds":
            click.echo(_row("the same, taken for independent requests", of_all, kind, one_second=True))


def made(kind: str, seed: int, runs: int, seconds: int, rate: int) -> Iterator[Numbers]:
    """Logarithms of times in deviations of one request, seconds x rate for each run."""
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        if kind == "requests":
            yield _autoregressive(rng, seconds * rate).reshape(seconds, rate)
        else:
            own = LEVEL * _autoregressive(rng, seconds)[:, None] if kind == "seconds" else 0.0
            yield own + rng.standard_normal((seconds, rate))


def _autoregressive(rng: np.random.Generator, n: int) -> Numbers:
    """An AR(1) series of unit variance, from its stationary state: the sum of what is left of each shock."""
    shocks = math.sqrt(1 - RHO**2) * rng.standard_normal(n + 60)  # after 60 steps, 1e-18 is left
    weights = RHO ** np.arange(61)
    weights[60] /= math.sqrt(1 - RHO**2)
    return np.convolve(shocks, weights, "valid")[:n]


def _row(words: str, of_all: list[Numbers], kind: str, one_second: bool) -> str:
    deviation = math.hypot(1, LEVEL) if kind == "seconds" else 1.0
    true_s = [MEDIAN_S * math.exp(SIGMA * deviation * NormalDist().inv_cdf(float(p))) for p in PERCENTILES.values()]
    held = np.array([_held(_estimated(logs, one_second), true_s) for logs in of_all])
    cells = (f"{np.nanmean(column):.1%} of {np.isfinite(column).mean():.0%}" for column in held.T)
    return f"| {words} | {' | '.join(cells)} |"


def _estimated(logs: Numbers, one_second: bool) -> list[Estimate]:
    times_us = np.rint(1e6 * MEDIAN_S * np.exp(SIGMA * logs)).astype(np.int64).ravel()
    second = np.zeros(logs.size, np.int64) if one_second else np.repeat(np.arange(len(logs)), logs.shape[1])
    sample = population(times_us, np.ones(logs.size, np.int64), np.zeros(logs.size, bool), second)
    return estimates(sample, list(PERCENTILES.values()))


def _held(found: list[Estimate], true_s: list[float]) -> list[float]:
    """1 or 0, and NaN where the percentile was not given."""
    return [
        math.nan if e.low_s is None or e.high_s is None else float(e.low_s <= true <= e.high_s)
        for e, true in zip(found, true_s, strict=True)
    ]


if __name__ == "__main__":
    coverage()
