"""The propensity of being in the study rather than among the controls, by logistic regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from reports.statistics.risk_sets import Floats, InvalidSample

NEWTON_STEPS = 60
SETTLED = 1e-11  # of the largest step, in units of standardised covariates
CERTAIN = 1e-8  # a propensity nearer to 0 or 1 is the sign of a likelihood without a maximum


@dataclass(frozen=True)
class Propensity:
    """Each person's probability of being in the study; None, with a `reason`, where there is no model.

    `coefficients` begin with the intercept. `reason`: `nobody`, `no_variation`, `collinear`, `separation`.
    """

    values: Floats | None
    coefficients: Floats | None
    reason: str | None = None


def estimate_propensity(is_study: Floats, covariates: Floats) -> Propensity:
    """The maximum likelihood fit of 0 and 1 on columns of numbers, with an intercept, as R's glm gives it.

    `covariates` has a row a person. A column that doesn't vary is left out of the model, with a coefficient of 0.
    Raises InvalidSample on values that aren't finite.
    """
    if not np.all(np.isfinite(covariates)) or len(covariates) != len(is_study):
        raise InvalidSample("covariates must be one finite number a person and column")
    if len(is_study) == 0 or is_study.min() == is_study.max():
        return Propensity(None, None, "nobody")
    centre, spread = covariates.mean(axis=0), covariates.std(axis=0)
    varies = spread > 0
    scaled = (covariates[:, varies] - centre[varies]) / spread[varies]
    design = np.column_stack([np.ones(len(is_study)), scaled])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return Propensity(None, None, "collinear")
    fitted = _maximise(design, is_study)
    if fitted is None:
        return Propensity(None, None, "separation")
    slopes = np.zeros(covariates.shape[1])
    slopes[varies] = fitted[1:] / spread[varies]
    intercept = fitted[0] - float(slopes @ centre)
    return Propensity(expit(design @ fitted), np.concatenate([[intercept], slopes]))


def _maximise(design: Floats, outcome: Floats) -> Floats | None:
    """Newton's steps from 0, halved where they overshoot; None where the likelihood rises without end."""
    coefficients = np.zeros(design.shape[1])
    log = _log_likelihood(design, outcome, coefficients)
    for _ in range(NEWTON_STEPS):
        chance = expit(design @ coefficients)
        if np.any(np.minimum(chance, 1 - chance) < CERTAIN):
            return None
        information = (design * (chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (outcome - chance))
        following = _log_likelihood(design, outcome, coefficients + step)
        while following < log - SETTLED * max(1.0, abs(log)):
            step = step / 2
            following = _log_likelihood(design, outcome, coefficients + step)
        coefficients, log = coefficients + step, following
        if np.max(np.abs(step)) < SETTLED:
            return coefficients
    return None


def _log_likelihood(design: Floats, outcome: Floats, coefficients: Floats) -> float:
    linear = design @ coefficients
    return float(outcome @ linear - np.logaddexp(0.0, linear).sum())
