"""The interval of a count's figure, as of independent requests: of a share of them, and of a number by itself.

Both are score intervals: they hold the true values that the count does not contradict. So they stay within what is
possible, and are not empty for a count of 0.
"""

import math
from statistics import NormalDist


def wilson(count: float, total: float, confidence: float) -> tuple[float, float]:
    """Enclose the share of which *count* of *total* are a sample; *total* is at least 1.

    Wilson, Probable inference, the law of succession, and statistical inference, Journal of the American Statistical
    Association 22, 1927. Of two such intervals MOVER makes Newcombe's of the difference (Statistics in Medicine 17,
    1998, method 10).
    """
    score = _score(confidence)
    middle, reach = count + score**2 / 2, score * math.sqrt(count * (total - count) / total + score**2 / 4)
    return max(0.0, middle - reach) / (total + score**2), min(1.0, (middle + reach) / (total + score**2))


def poisson(count: int, confidence: float) -> tuple[float, float]:
    """Enclose the expected number of what was counted: Wilson's interval of a very small share."""
    score = _score(confidence)
    middle, reach = count + score**2 / 2, score * math.sqrt(count + score**2 / 4)
    return max(0.0, middle - reach), middle + reach


def _score(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)
