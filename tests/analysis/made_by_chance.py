"""Runs whose truth is known: lognormal times, drawn with a seed, in seconds that may be correlated."""

import math
from statistics import NormalDist

import numpy as np
from made_by_hand import counts_of, manifest_of

from analysis.choices import Choices
from analysis.comparison.measured import Side
from analysis.run import Run
from analysis.run_format import MEASURES, RESPONSE, TIMELINE_COLUMNS, bucketed
from analysis.samples import OUTCOMES, Samples
from analysis.timeline import merged
from analysis.window import window_of

SIGMA = 0.4


def random_run(
    seed, *, seconds=60, per_s=50, scale_s=0.1, rho=0.0, slow=0.0, measures=(RESPONSE,), failed=0.0, **manifest
):
    """A run of *per_s* requests in each second. The logarithm of its seconds' level is AR(1) with *rho* and the
    standard deviation *slow*; the share *failed* of the requests is throttled.
    """
    chance = np.random.default_rng(seed)
    second = np.repeat(np.arange(seconds), per_s)
    logs = chance.normal(math.log(scale_s), SIGMA, second.size) + slow * ar1(chance, seconds, rho)[second]
    value_us = bucketed((np.exp(logs) * 1e6).astype(np.int64))
    outcome = np.where(chance.random(second.size) < failed, OUTCOMES.index("throttled"), OUTCOMES.index("ok"))
    return run_of(second, value_us, outcome, measures, seconds, **manifest)


def run_of(second, value_us, outcome, measures, seconds, **manifest):
    rows = [
        np.stack([second, np.zeros_like(second), outcome, np.full_like(second, MEASURES.index(measure)), value_us])
        for measure in measures
    ]
    columns, count = np.unique(np.concatenate(rows, axis=1), axis=1, return_counts=True)
    samples = Samples(*columns, count, names=("json",))
    n = len(second)
    counts = counts_of(planned=n, sent=n, finished=n)
    load = {"duration_s": float(seconds), "rate_per_s": n / seconds}
    return Run(manifest_of(**({"load": load, "counts": counts} | manifest)), samples, no_timeline(), [])


def side_of(run, **choices):
    """The run as one of a comparison."""
    chosen = Choices(**choices)
    return Side(run, window_of(run, chosen), chosen)


def ar1(chance, seconds, rho):
    """A stationary series with the standard deviation 1."""
    steps, level = chance.normal(0, math.sqrt(1 - rho**2), seconds), np.empty(seconds)
    level[0] = chance.normal()
    for now in range(1, seconds):
        level[now] = rho * level[now - 1] + steps[now]
    return level


def no_timeline():
    return merged(
        {
            name: np.zeros(0, np.float64 if name.endswith(("_ms", "_share", "_per_s")) else np.int64)
            for name in TIMELINE_COLUMNS
        }
    )


def true_percentile_s(share, scale_s=0.1, slow=0.0):
    return scale_s * math.exp(math.hypot(SIGMA, slow) * NormalDist().inv_cdf(share))
