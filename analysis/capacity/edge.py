"""The rate at which an objective gives way, and how sure that is, from levels around it.

It is found as thresholds are in psychophysics, where an answer is noisy and rises with the strength of a stimulus
(Kontsevich & Tyler, Bayesian adaptive estimation of psychometric slope and threshold, Vision Research 39, 1999). The
share of requests beyond the limit is a floor, that of an idle service, and above it one of two shapes: a logistic
function of the logarithm of the rate, for a queue; or what is over a fixed rate, for a cap. All combinations on a grid
are weighed by how well they explain the levels; where the share is what is allowed is the edge.

In a queue the share does grow so near its limit: exponentially in M/M/1, where P(T > t) = exp(-(mu - lambda) t), and in
the tail of every stable queue with a light tail (Asmussen, Applied Probability and Queues, 2nd ed. 2003, chapter XIII).

Each level counts with its effective number of requests (`analysis.correlation`). A level that saw nothing beyond its
limit cannot tell how much requests depend on each other, so it takes what is usual near the edge.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.capacity.level import Against, Level

SLOPES = np.geomspace(0.2, 300, 32)  # logits for a rate e times as high
FLOORS = (0.0, 0.1, 0.25, 0.45, 0.7, 0.9)  # of what is allowed
LEAST_SHARE = 1e-6
EDGES, MOST_EDGES, FINE = 240, 2000, 0.002  # rates of the first grid, and of the second, parted by FINE of the rate
BEYOND_LEVELS = math.log(4)  # how far the first grid reaches beyond the rates that were tried
LIKELY = 1e-5  # of the most likely edge: what is less is outside the second grid

UNSEEN = 0.025  # of the rate: how near a queue is to its limit takes longer to show than a level lasts
USUAL_EFFECT, FEWEST_EFFECTS = 10.0, 3  # stands in for levels near the edge until there are so many
NEAR, LONG_S = 8.0, 20.0  # times what is allowed, and seconds, for a level to tell what is usual near the edge
MOST_OF_USUAL = 4.0  # far above the edge a queue grows without end, and its requests depend on each other otherwise

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Edge:
    """Requests per second, and how steeply the share beyond the limit rises there."""

    low: float
    value: float
    high: float
    slope: float  # logits for a rate e times as high
    objective: str  # that gives way there

    @property
    def half_width(self) -> float:
        """As a share of the value."""
        return (self.high - self.low) / 2 / self.value


def edge(levels: Sequence[Level], confidence: float) -> Edge:
    """Find the highest rate at which all objectives of *levels* hold."""
    by_objective = zip(*(each.against for each in levels), strict=True)
    rate, length_s = (np.array([getattr(each, name) for each in levels]) for name in ("rate_per_s", "length_s"))
    edges = [_edge_of(np.log(rate), length_s, found, found[0].allowed, confidence) for found in by_objective]
    first = min(edges, key=lambda each: each.value)
    return replace(first, low=min(each.low for each in edges), high=min(each.high for each in edges))


def _edge_of(rate: Numbers, length_s: Numbers, found: Sequence[Against], allowed: float, confidence: float) -> Edge:
    """Find the edge of one objective; *rate* and all that is inside are logarithms."""
    effect = _effects(length_s, found, allowed)
    beyond, n = (np.array([getattr(each, name) for each in found]) / effect for name in ("beyond", "n"))
    edges = np.linspace(rate.min() - BEYOND_LEVELS, rate.max() + BEYOND_LEVELS, EDGES)
    weight = _weights(edges, rate, beyond, n, allowed).sum(axis=1)
    likely = edges[weight > LIKELY * weight.max()]
    step = edges[1] - edges[0]
    first, last = likely[0] - step, likely[-1] + step
    edges = np.linspace(first, last, min(MOST_EDGES, max(EDGES, math.ceil((last - first) / FINE))))
    weights = _weights(edges, rate, beyond, n, allowed)
    up_to, tail = weights.sum(axis=1).cumsum(), (1 - confidence) / 2
    low, value, high = (math.exp(edges[np.searchsorted(up_to, part)]) for part in (tail, 0.5, 1 - tail))
    slopes = np.append(SLOPES, SLOPES[-1])  # a cap is as steep as any
    slope = math.exp(float(np.sum(weights.sum(axis=0) * np.log(slopes))))
    return Edge(low / (1 + UNSEEN), value, high * (1 + UNSEEN), slope, found[0].text)


def _effects(length_s: Numbers, found: Sequence[Against], allowed: float) -> Numbers:
    """Give how many requests of each level are worth an independent one."""
    shares = [each.beyond / each.n if each.n else 0.0 for each in found]
    near = [
        each.effect
        for each, share, long_s in zip(found, shares, length_s.tolist(), strict=True)
        if allowed / NEAR < share < min(NEAR * allowed, 0.8) and long_s >= LONG_S
    ]
    usual = float(np.median(near + [USUAL_EFFECT] * (FEWEST_EFFECTS - len(near))))
    return np.clip([each.effect for each in found], usual, MOST_OF_USUAL * usual)


def _weights(edges: Numbers, rate: Numbers, beyond: Numbers, n: Numbers, allowed: float) -> Numbers:
    """Weigh edges x shapes (the slopes, and the cap as the last) together with all floors; the sum is 1."""
    likelihood = np.stack([_log_likelihood(edges, rate, beyond, n, allowed, floor * allowed) for floor in FLOORS])
    weights = np.exp(likelihood - likelihood.max()).sum(axis=0)
    normed: Numbers = weights / weights.sum()
    return normed


def _log_likelihood(
    edges: Numbers, rate: Numbers, beyond: Numbers, n: Numbers, allowed: float, floor: float
) -> Numbers:
    at_edge = (allowed - floor) / (1 - floor)  # the share there of what is above the floor
    height, total = math.log(at_edge / (1 - at_edge)), np.zeros((len(edges), len(SLOPES) + 1))
    for one_rate, one_beyond, one_n in zip(rate, beyond, n, strict=True):
        past = one_rate - edges[:, np.newaxis]
        logistic = 1 / (1 + np.exp(-np.clip(height + SLOPES * past, -40, 40)))
        capped = np.maximum(0.0, 1 - (1 - at_edge) * np.exp(-past))
        share = floor + (1 - floor) * np.concatenate((logistic, capped), axis=1)
        share = np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE)
        total += one_beyond * np.log(share) + (one_n - one_beyond) * np.log1p(-share)
    return total
