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
    Raises InvalidSample on an infinite value.
    """
    present, missing = _present(values)
    if not len(present):
        return Summary(0, missing, None, None, None, None, None, None, None)
    q0, q1, median, q3, q4 = (
        float(q) for q in np.quantile(present, [0, 0.25, 0.5, 0.75, 1], method="linear")
    )
    sd = float(np.std(present, ddof=1)) if len(present) > 1 else None
    return Summary(len(present), missing, float(np.mean(present)), sd, median, q1, q3, q0, q4)


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
