"""How many independent requests tell as much about a percentile as these do.

Requests of one second, and of neighbouring seconds, share what slows the service down, so n of them know less than n
independent ones. The requests at or below a percentile are counted second by second; the variance of their sum, by the
variance it would have if all were independent, is the design effect (Kish, Survey Sampling, 1965, section 8.2), and
n by that is the effective number of requests.

That variance is the moving-block bootstrap's (Künsch, The jackknife and the bootstrap for general stationary
observations, Annals of Statistics 17, 1989), which for a sum needs no resampling: it is the mean square of the sums of
all overlapping blocks of L seconds, times T / L (Meketon & Schmeiser, Overlapping batch means, Winter Simulation
Conference 1984, who give it T / (T - L) for the mean taken out and about 1.5 (T / L - 1) degrees of freedom). Blocks of
T^(1/3) seconds cut off dependence that reaches further, so what the second before explains is taken out first and put
back after (prewhitening: Andrews & Monahan, Econometrica 60, 1992). With few degrees of freedom the estimate itself is
uncertain: Student's t in place of the normal's quantile allows for that.
"""

import math

import numpy as np
from numpy.typing import NDArray

from analysis.student import normal_score, student_score

FEWEST_SECONDS = 10  # below, seconds cannot be compared with each other
MOST_CARRIED = 0.9  # of a second's deviation into the next; near 1 the run is a drift, not a steady state

Numbers = NDArray[np.float64]


def design_effects(deviation: Numbers, variance: Numbers, confidence: float) -> Numbers:
    """Give the factor of 1 or more by which requests count less than independent ones, for each of m percentiles.

    *deviation* is seconds x m: how many requests of the second were at or below the percentile, less their expected
    number; at least `FEWEST_SECONDS`. *variance*, m, is that of the column's sum if all requests were independent.
    """
    seconds = len(deviation)
    length = math.ceil(seconds ** (1 / 3))
    carried = _carried(deviation)
    fresh = deviation[1:] - carried * deviation[:-1]
    of_sum = _block_variance(fresh - fresh.mean(axis=0), length) * seconds / (seconds - 1) / (1 - carried) ** 2
    score = normal_score(confidence)
    uncertain = (student_score(score, 1.5 * (seconds / length - 1)) / score) ** 2
    effects = np.divide(of_sum, variance, out=np.ones_like(variance), where=variance > 0)
    # What independent requests would vary by is known; only what goes beyond was estimated.
    widened: Numbers = 1 + np.maximum(effects - 1, 0.0) * uncertain
    return widened


def _carried(deviation: Numbers) -> Numbers:
    """The share of a second's deviation that is found again in the next one."""
    before, after = deviation[:-1], deviation[1:]
    squares = np.sum(deviation**2, axis=0)
    shared = np.divide(np.sum(before * after, axis=0), squares, out=np.zeros_like(squares), where=squares > 0)
    carried: Numbers = np.clip(shared, -0.5, MOST_CARRIED)
    return carried


def _block_variance(deviation: Numbers, length: int) -> Numbers:
    """The moving-block bootstrap's variance of each column's sum."""
    seconds = len(deviation)
    sums = np.concatenate((np.zeros((1, deviation.shape[1])), np.cumsum(deviation, axis=0)))
    blocks = sums[length:] - sums[:-length]
    variance: Numbers = np.mean(blocks**2, axis=0) * seconds / length * seconds / (seconds - length)
    return variance
