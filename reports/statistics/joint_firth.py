"""Firth's penalty in a Cox regression of several covariates: finite ratios where the plain likelihood has none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from reports.statistics.cox import EVENTS_PER_PARAMETER, FEW_EVENTS, NO_CONVERGENCE, HazardRatio, empty
from reports.statistics.distributions import chi_square_quantile, chi_square_tail
from reports.statistics.joint_likelihood import RiskWeights, is_small, joint_likelihood, risk_weights
from reports.statistics.risk_sets import Floats, InvalidSample, finite, sample

STEPS = 100
SETTLED = 1e-11  # in standard errors
LARGEST_STEP = 2.0  # in ranges of a covariate
FARTHEST = 60.0  # in ranges of a covariate, as for one covariate
SHORTEST = 1e-9
DIFFERENCE = 1e-5  # in ranges of a covariate
SINGULAR = 1e-10


class _NoMaximum(Exception):  # noqa: N818 - named for what is wrong, as every error of the project
    """The penalised likelihood has none that can be found; the message is never shown."""


def estimate_joint_firth(
    time: ArrayLike,
    event: ArrayLike,
    covariates: Mapping[str, ArrayLike],
    *,
    start: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[str, HazardRatio]:
    """The hazard ratios of several covariates under Jeffreys' prior, by their names.

    Maximises log L + 1/2 log det I with Efron's ties. Limits and p are those of the penalised likelihood
    profiled over the other coefficients, with the whole information in the penalty; `std_err` is of the
    inverse information. All are empty with `no_events`, or `no_convergence` where covariates are collinear
    or the sample is too large. Source: Firth 1993; Heinze & Schemper 2001; as R's coxphf, but for ties.
    """
    rows = sample(time, event, start)
    columns = [_column(values, name, len(rows)) for name, values in covariates.items()]
    n, events = len(rows), int((rows.event > 0).sum())
    few = (FEW_EVENTS,) if events < EVENTS_PER_PARAMETER * len(columns) else ()

    def nothing(reason: str) -> dict[str, HazardRatio]:
        return {name: empty(n, events, "firth", few, reason) for name in covariates}

    if events == 0:
        return nothing("no_events")
    scales = np.array([np.ptp(column) for column in columns])
    if not np.all(scales > 0) or not is_small(rows):
        return nothing(NO_CONVERGENCE)
    centred = np.column_stack([column - column.mean() for column in columns]) / scales
    table = risk_weights(rows, centred)
    try:
        fits = _fits(table, level)
    except _NoMaximum:
        return nothing(NO_CONVERGENCE)
    return {
        name: _ratio(fit, scale, n, events, few)
        for name, scale, fit in zip(covariates, scales, fits, strict=True)
    }


Fit = tuple[float, float, float, float, float]  # coefficient, its limits, p, standard error


def _fits(table: RiskWeights, level: float) -> list[Fit]:
    width = table.covariates.shape[1]
    begin = joint_likelihood(table, np.zeros(width)).information
    if np.linalg.eigvalsh(begin)[0] < SINGULAR * np.trace(begin):
        raise _NoMaximum
    best = _maximise(table, np.zeros(width), np.ones(width, dtype=bool))
    top, threshold = _penalised(table, best), chi_square_quantile(level, 1)
    errors = np.sqrt(np.diag(np.linalg.inv(joint_likelihood(table, best).information)))
    fits = []
    for number in range(width):
        profile = _Profile(table, number, best, top)
        low, high = (_limit(profile, threshold, direction * errors[number]) for direction in (-1.0, 1.0))
        p = chi_square_tail(max(profile.drop(0.0), 0.0), 1)
        fits.append((float(best[number]), low, high, p, float(errors[number])))
    return fits


class _Profile:
    """Twice the loss of penalised log likelihood when one coefficient is fixed and the others give their best."""

    def __init__(self, table: RiskWeights, number: int, best: Floats, top: float) -> None:
        self.table, self.number, self.best, self.top = table, number, best, top
        self.free = np.arange(len(best)) != number
        self.last = best.copy()

    def drop(self, value: float) -> float:
        """The loss at `value`; infinite so far out that doubles can't tell the information from none."""
        begin = self.last.copy()  # which is near
        begin[self.number] = value
        try:
            self.last = _maximise(self.table, begin, self.free)
        except _NoMaximum:
            return np.inf
        return 2 * (self.top - _penalised(self.table, self.last))


def _limit(profile: _Profile, threshold: float, step: float) -> float:
    """Where the loss reaches the threshold, on the side that `step` points to."""
    near = float(profile.best[profile.number])
    while abs(near) < FARTHEST and abs(step) > SHORTEST:
        far = near + step
        drop = profile.drop(far)
        if np.isinf(drop):
            step = step / 4
            continue
        if drop > threshold:
            return float(brentq(lambda b: profile.drop(b) - threshold, near, far, xtol=1e-13, rtol=1e-14))
        near, step = far, step * 1.5
    raise _NoMaximum


def _penalised(table: RiskWeights, coefficients: Floats) -> float:
    at = joint_likelihood(table, coefficients)
    return at.log + 0.5 * _log_determinant(at.information)


def _log_determinant(information: Floats) -> float:
    sign, log = np.linalg.slogdet(information)
    return float(log) if sign > 0 else -np.inf


def _maximise(table: RiskWeights, begin: Floats, free: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """The free coefficients at which the penalised likelihood is greatest, the others as in `begin`.

    By Newton's steps, halved where they overshoot. Raises _NoMaximum where they don't settle.
    """
    coefficients = begin.copy()
    if not free.any():
        return coefficients
    for _ in range(STEPS):
        at = joint_likelihood(table, coefficients)
        value = at.log + 0.5 * _log_determinant(at.information)
        if not np.isfinite(value):
            raise _NoMaximum
        curvature = _curvature(table, coefficients, free, at.information)
        step = np.linalg.solve(curvature, _gradient(table, coefficients)[free])
        if float(np.sqrt(step @ at.information[np.ix_(free, free)] @ step)) < SETTLED:
            return coefficients
        step *= min(1.0, LARGEST_STEP / float(np.abs(step).max()))
        coefficients = _uphill(table, coefficients, free, np.asarray(step, dtype=np.float64), value)
    raise _NoMaximum


def _gradient(table: RiskWeights, coefficients: Floats) -> Floats:
    """The modified score: of the likelihood, and of its penalty."""
    at = joint_likelihood(table, coefficients)
    try:
        inverse = np.linalg.inv(at.information)
    except np.linalg.LinAlgError as error:
        raise _NoMaximum from error
    return np.asarray(at.score + 0.5 * np.einsum("ab,bar->r", inverse, at.slope), dtype=np.float64)


def _curvature(
    table: RiskWeights,
    coefficients: Floats,
    free: np.ndarray[tuple[int], np.dtype[np.bool_]],
    information: Floats,
) -> Floats:
    """Minus the second derivatives, by differences; the information where they aren't positive definite."""
    columns = []
    for number in np.flatnonzero(free):
        shift = np.zeros(len(coefficients))
        shift[number] = DIFFERENCE
        ahead, behind = _gradient(table, coefficients + shift), _gradient(table, coefficients - shift)
        columns.append((behind - ahead)[free] / (2 * DIFFERENCE))
    found = np.array(columns)
    found = (found + found.T) / 2
    inside = information[np.ix_(free, free)]
    return found if np.linalg.eigvalsh(found)[0] > SINGULAR * np.trace(inside) else inside


def _uphill(
    table: RiskWeights,
    coefficients: Floats,
    free: np.ndarray[tuple[int], np.dtype[np.bool_]],
    step: Floats,
    value: float,
) -> Floats:
    rounding = 1e-12 * max(1.0, abs(value))
    for _ in range(40):
        following = coefficients.copy()
        following[free] += step
        if _penalised(table, following) >= value - rounding:
            return following
        step = step / 2
    raise _NoMaximum


def _column(values: ArrayLike, name: str, rows: int) -> Floats:
    column = finite(values, name)
    if len(column) != rows:
        raise InvalidSample(f"{rows} times but {len(column)} values of a covariate")
    return column


def _ratio(fit: Fit, scale: float, n: int, events: int, few: tuple[str, ...]) -> HazardRatio:
    coefficient, low, high, p, std_err = fit
    with np.errstate(over="ignore"):
        hr, ci_low, ci_high = (float(np.exp(b / scale)) for b in (coefficient, low, high))
    if not np.all(np.isfinite([hr, ci_low, ci_high])):
        return empty(n, events, "firth", few, NO_CONVERGENCE)
    return HazardRatio(hr, ci_low, ci_high, p, coefficient / scale, std_err / scale, n, events, "firth", few)
