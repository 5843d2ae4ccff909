"""Student's distribution by way of the normal one: quantiles for a spread that was itself estimated.

Wallace's approximation (Bounds on normal approximations to Student's and the chi-square distributions, Annals of
Mathematical Statistics 30, 1959). Quantiles come out at most 1.2 % too large at 95 % and 3.6 % at 99 %, at 3 degrees of
freedom, and less with more: intervals are a little too wide, never too narrow.
"""

import math
from statistics import NormalDist

NORMAL = NormalDist()


def normal_score(confidence: float) -> float:
    """Give the standard errors that enclose a normal value with *confidence*, on both sides."""
    return NORMAL.inv_cdf(0.5 + confidence / 2)


def student_score(normal: float, degrees: float) -> float:
    """Give the quantile of Student's distribution where the normal one has *normal*; *degrees* may be infinite."""
    if math.isinf(degrees):
        return normal
    score = normal * (8 * degrees + 3) / (8 * degrees + 1)
    return math.copysign(math.sqrt(degrees * math.expm1(score * score / degrees)), score)


def as_normal(student: float, degrees: float) -> float:
    """Turn `student_score` around; both scores of 0 or more."""
    if math.isinf(degrees):
        return student
    return (8 * degrees + 1) / (8 * degrees + 3) * math.sqrt(degrees * math.log1p(student**2 / degrees))
