"""The summary of a numeric variable: quantiles of type 7, mean, standard deviation, extremes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.statistics.risk_sets import Floats, InvalidSample


@dataclass(frozen=True)
class Summary:
    """`n` values and `missing` ones; the statistics are None without values, `sd` with fewer than two."""

    n: int
    missing: int
    mean: float | None
    sd: float | None
    median: float | None
    q1: float | None
    q3: float | None
    min: float | None
    max: float | None


def summarise(values: Any) -> Summary:
    """The summary of the values that are there; None and NaN count as missing.

    Quantiles are Hyndman-Fan type 7 and the standard deviation has n - 1, as R's `quantile` and `sd`.
    What a double can't hold, such as the spread of 1e308, is None. Raises InvalidSample on an infinite value.
    """
    present, missing = _present(values)
    if not len(present):
        return Summary(0, missing, None, None, None, None, None, None, None)
    with np.errstate(over="ignore", invalid="ignore"):
        q1, median, q3 = (_finite(q) for q in np.quantile(present, [0.25, 0.5, 0.75], method="linear"))
        sd = _finite(np.std(present, ddof=1)) if len(present) > 1 else None
        mean = _finite(np.mean(present))
    return Summary(
        len(present), missing, mean, sd, median, q1, q3, float(np.min(present)), float(np.max(present))
    )


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def estimate_quantile(values: Any, probability: float) -> float | None:
    """One quantile of type 7 of the values that are there; None without any."""
    present, _ = _present(values)
    return float(np.quantile(present, probability, method="linear")) if len(present) else None


def _present(values: Any) -> tuple[Floats, int]:
    array = np.asarray(list(values), dtype=np.float64)
    present = array[~np.isnan(array)]
    if np.any(np.isinf(present)):
        raise InvalidSample("a value is infinite")
    return present, len(array) - len(present)
