"""Cox's partial likelihood of several covariates, with Efron's ties, and whether it has a maximum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog

from reports.statistics.risk_sets import Floats, Sample

# Weights of one row in one event's risk set that are kept at a time: 80 MB.
LARGEST = 10_000_000
# A direction's gain over the largest one possible; covariates are in units of their range.
SEPARATES = 1e-7


@dataclass(frozen=True)
class RiskWeights:
    """A row an event, a column a row of the sample: how much the row counts in that event's risk set.

    `events` has the positions of the rows that end with the event, in the same order.
    """

    covariates: Floats
    weights: Floats
    events: np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class JointLikelihood:
    """The log of the partial likelihood at some coefficients, and its derivatives.

    `score` is the gradient, `information` minus the matrix of second derivatives, `slope[:, :, r]` the
    derivative of the information by coefficient r.
    """

    log: float
    score: Floats
    information: Floats
    slope: Floats


def is_small(rows: Sample) -> bool:
    """Whether the weights of every row in every event's risk set fit into memory."""
    return len(rows) * int((rows.event > 0).sum()) <= LARGEST


def risk_weights(rows: Sample, covariates: ArrayLike) -> RiskWeights:
    """Who is at risk at each event. Of d tied events the k-th meets the risk set less k/d of them (Efron)."""
    columns = np.asarray(covariates, dtype=np.float64)
    events = np.flatnonzero(rows.event > 0)
    events = events[np.argsort(rows.stop[events], kind="stable")]
    times = rows.stop[events]
    at_risk = rows.stop[None, :] >= times[:, None]
    if rows.start is not None:
        at_risk &= rows.start[None, :] < times[:, None]
    tied = (rows.stop[None, :] == times[:, None]) & (rows.event > 0)[None, :]
    first = np.searchsorted(times, times, side="left")
    share = (np.arange(len(events)) - first) / np.maximum(tied.sum(axis=1), 1)
    return RiskWeights(columns, at_risk - share[:, None] * tied, events)


def joint_likelihood(table: RiskWeights, coefficients: Floats) -> JointLikelihood:
    """The partial likelihood at the coefficients. Source: Cox 1972; Efron 1977."""
    x = table.covariates
    predictor = x @ coefficients
    # Relative to the greatest hazard at risk, so that no exponential overflows or vanishes.
    top = np.where(table.weights > 0, predictor, -np.inf).max(axis=1)
    weights = table.weights * np.exp(np.minimum(predictor - top[:, None], 0.0))
    total = weights.sum(axis=1)
    chance = weights / total[:, None]
    per_row = chance.sum(axis=0)
    products = np.einsum("ia,ib->iab", x, x)
    mean = chance @ x
    squares = np.einsum("mi,iab->mab", chance, products)
    second = squares.sum(axis=0) - mean.T @ mean
    mixed = np.einsum("mab,mc->abc", squares, mean)
    third = np.einsum("i,iab,ic->abc", per_row, products, x)
    third -= mixed + mixed.transpose(0, 2, 1) + mixed.transpose(2, 1, 0)
    third += 2 * np.einsum("ma,mb,mc->abc", mean, mean, mean)
    return JointLikelihood(
        float((predictor[table.events] - top - np.log(total)).sum()),
        x[table.events].sum(axis=0) - mean.sum(axis=0),
        second,
        third,
    )


def is_separated(table: RiskWeights) -> bool:
    """Whether some combination of covariates is highest at each event, of all at risk: no finite maximum.

    The likelihood then never falls along that combination. Found by a linear programme, exactly, where no
    single covariate shows it. Source: Bryson & Johnson 1981; Heinze & Schemper 2001.
    """
    x = table.covariates
    differences = [
        x[event] - x[weights > 0] for event, weights in zip(table.events, table.weights, strict=True)
    ]
    ahead = np.unique(np.concatenate([np.empty((0, x.shape[1])), *differences]), axis=0)
    ahead = ahead[np.any(ahead != 0, axis=1)]
    if not len(ahead):
        return False
    found = linprog(
        -ahead.sum(axis=0), A_ub=-ahead, b_ub=np.zeros(len(ahead)), bounds=(-1, 1), method="highs"
    )
    return bool(found.success and -found.fun > SEPARATES)
