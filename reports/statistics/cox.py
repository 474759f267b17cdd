"""Hazard ratios by Cox regression with Efron's ties (method `efron`).

One covariate is fitted from counts at risk by our own likelihood, several by lifelines. A ratio is
never infinite: where the likelihood has no maximum, which is found out before the fit, the estimate is
empty and says why. Warnings are values of the estimate, for the report to show beside it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reports.statistics.distributions import normal_quantile, normal_tail
from reports.statistics.joint_likelihood import is_separated, is_small, risk_weights
from reports.statistics.partial_likelihood import RiskTable, likelihood, maximise, obstacle, risk_table
from reports.statistics.risk_sets import InvalidSample, Sample, finite, sample

EVENTS_PER_PARAMETER = 10
LARGEST_TABLE = 10_000_000
FEW_EVENTS = "few_events"
NO_CONVERGENCE = "no_convergence"
SEPARATION = "separation"

# lifelines stops at half the Newton step's square over the variance: this is a step of 1e-10 standard errors.
PRECISE = {"precision": 1e-20, "r_precision": 0.0}


@dataclass(frozen=True)
class HazardRatio:
    """A hazard ratio with its limits and p; all None, with a `reason`, where it can't be estimated.

    `reason`: `no_events`, `no_contrast`, `separation` or `no_convergence`. `warnings`: `few_events` (fewer
    than 10 events a parameter), or the name of a warning that the fit gave.
    """

    hr: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    coefficient: float | None
    std_err: float | None
    n: int
    events: int
    method: str
    warnings: tuple[str, ...] = ()
    reason: str | None = None


def estimate_hazard_ratio(
    time: ArrayLike,
    event: ArrayLike,
    covariate: ArrayLike,
    *,
    start: ArrayLike | None = None,
    level: float = 0.95,
) -> HazardRatio:
    """The hazard ratio of one covariate, 0 and 1 or numeric: Efron's ties, Wald limits and p.

    With `start`, rows are at risk on (start, time], so that a covariate may change within a person. Any
    unit of time. `n` counts rows. Agrees with R's coxph. Source: Cox 1972; Efron 1977.
    """
    return estimate_hazard_ratios(time, event, {"covariate": covariate}, start=start, level=level)[
        "covariate"
    ]


def estimate_hazard_ratios(
    time: ArrayLike,
    event: ArrayLike,
    covariates: Mapping[str, ArrayLike],
    *,
    start: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[str, HazardRatio]:
    """The hazard ratios of several covariates in one model, by their names, as `estimate_hazard_ratio`.

    Where one covariate prevents the fit, all are empty with its reason. For a cause-specific model give the
    cause as the event and the others as censored. Raises InvalidSample on values that don't fit together.
    """
    rows = sample(time, event, start)
    columns = {name: _covariate(values, name, len(rows)) for name, values in covariates.items()}
    events = int((rows.event > 0).sum())
    few = (FEW_EVENTS,) if events < EVENTS_PER_PARAMETER * len(columns) else ()
    tables = {name: _table(rows, values) for name, values in columns.items()}
    for table in tables.values():
        reason = None if table is None else obstacle(table)
        if reason is not None:
            return {name: empty(len(rows), events, "efron", few, reason) for name in columns}
    # lifelines takes some 50 s for 100,000 persons with entries; one covariate needs only counts.
    if len(tables) == 1:
        name, table = next(iter(tables.items()))
        if table is not None:
            return {name: _fit_one(table, len(rows), few, level)}
    if _is_separated_together(rows, columns):
        return {name: empty(len(rows), events, "efron", few, SEPARATION) for name in columns}
    return _fit(rows, columns, level, few)


def empty(n: int, events: int, method: str, given: tuple[str, ...], reason: str) -> HazardRatio:
    """A ratio that can't be estimated, and why."""
    return HazardRatio(None, None, None, None, None, None, n, events, method, given, reason)


def _covariate(values: ArrayLike, name: str, rows: int) -> np.ndarray[Any, Any]:
    column = finite(values, name)
    if len(column) != rows:
        raise InvalidSample(f"{rows} times but {len(column)} values of a covariate")
    return column


def _table(rows: Sample, values: np.ndarray[Any, Any]) -> RiskTable | None:
    # A continuous covariate of many persons hardly separates; where it does the fit doesn't converge.
    if len(np.unique(values)) * len(rows) > LARGEST_TABLE:
        return None
    return risk_table(rows, values)


def _is_separated_together(rows: Sample, columns: Mapping[str, np.ndarray[Any, Any]]) -> bool:
    """Whether covariates separate together that don't alone; in a large sample the fit itself fails then."""
    if not is_small(rows):
        return False
    ranges = np.column_stack([values / np.ptp(values) for values in columns.values()])
    return is_separated(risk_weights(rows, ranges))


def _fit_one(table: RiskTable, n: int, few: tuple[str, ...], level: float) -> HazardRatio:
    coefficient = maximise(table)
    if coefficient is None:
        return empty(n, table.n_events, "efron", few, NO_CONVERGENCE)
    std_err = float(1 / np.sqrt(likelihood(table, coefficient).information))
    return _wald(coefficient, std_err, n, table.n_events, few, level)


def _fit(
    rows: Sample, columns: Mapping[str, np.ndarray[Any, Any]], level: float, few: tuple[str, ...]
) -> dict[str, HazardRatio]:
    # Imported here: a second that a run without a Cox model need not wait.
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    n, events = len(rows), int((rows.event > 0).sum())
    names = {f"x{i}": name for i, name in enumerate(columns)}
    frame = pd.DataFrame({key: columns[name] for key, name in names.items()})
    frame["stop"], frame["event"] = rows.stop, rows.event > 0
    if rows.start is not None:
        frame["start"] = rows.start
    entry = None if rows.start is None else "start"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitter = CoxPHFitter().fit(frame, "stop", "event", entry_col=entry, fit_options=PRECISE)
        except ConvergenceError:
            return {name: empty(n, events, "efron", few, NO_CONVERGENCE) for name in columns}
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        return {name: empty(n, events, "efron", few, NO_CONVERGENCE) for name in columns}
    given = few + tuple(sorted({warning.category.__name__ for warning in caught}))
    return {
        name: _wald(float(fitter.params_[key]), float(fitter.standard_errors_[key]), n, events, given, level)
        for key, name in names.items()
    }


def _wald(
    coefficient: float, std_err: float, n: int, events: int, given: tuple[str, ...], level: float
) -> HazardRatio:
    half = normal_quantile((1 + level) / 2) * std_err
    with np.errstate(over="ignore"):
        ratio, low, high = (float(np.exp(b)) for b in (coefficient, coefficient - half, coefficient + half))
    if not np.all(np.isfinite([ratio, low, high])) or std_err == 0:
        return empty(n, events, "efron", given, NO_CONVERGENCE)
    p = 2 * normal_tail(abs(coefficient) / std_err)
    return HazardRatio(ratio, low, high, p, coefficient, std_err, n, events, "efron", given)
