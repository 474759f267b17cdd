"""Quantiles and tails of the distributions that intervals and tests are read from.

`scipy.special` has the functions themselves. The classes of `scipy.stats` around them give the same numbers, and
take longer to import than most studies take to estimate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv, betaln, chdtrc, chdtri, gammaincinv, ndtr, ndtri


def normal_quantile(probability: float) -> float:
    """Where a standard normal variable lies below with this probability."""
    return float(ndtri(probability))


def normal_tail(z: float) -> float:
    """The chance that a standard normal variable is above `z`."""
    return float(ndtr(-z))


def chi_square_quantile(probability: float, degrees: float) -> float:
    """Where a chi-square variable lies below with this probability."""
    return float(2 * gammaincinv(degrees / 2, probability))


def chi_square_tail_quantile(probability: float, degrees: float) -> float:
    """Where a chi-square variable lies above with this probability."""
    return float(chdtri(degrees, probability))


def chi_square_tail(value: float, degrees: float) -> float:
    """The chance that a chi-square variable is above `value`, which is at least 0."""
    return float(chdtrc(degrees, value))


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Where a beta variable lies below with this probability."""
    return float(betaincinv(a, b, probability))


def binomial_at_least(events: int, n: int, probability: float) -> float:
    """The chance of so many events, or more, among n."""
    return 1.0 if events <= 0 else float(betainc(events, n - events + 1, probability))


def binomial_at_most(events: int, n: int, probability: float) -> float:
    """The chance of so many events, or fewer, among n."""
    return 1.0 if events >= n else float(betainc(n - events, events + 1, 1 - probability))


def hypergeometric_chance(
    drawn: npt.NDArray[np.int64], total: int, marked: int, draws: int
) -> npt.NDArray[np.float64]:
    """The chance of each number of marked ones in `draws` out of `total`, of which `marked` are.

    Each of `drawn` is a number that can be.
    """
    unmarked, others = total - marked, draws - drawn
    chances: npt.NDArray[np.float64] = np.exp(
        betaln(marked + 1, 1)
        + betaln(unmarked + 1, 1)
        + betaln(total - draws + 1, draws + 1)
        - betaln(drawn + 1, marked - drawn + 1)
        - betaln(others + 1, unmarked - others + 1)
        - betaln(total + 1, 1)
    )
    return chances
