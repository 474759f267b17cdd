"""Gray's test: whether groups differ in the cumulative incidence of one kind of event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reports.statistics.logrank import NO_CONTRAST, GroupTest, chi_square_test
from reports.statistics.risk_sets import Floats, count_at, count_at_risk, groups_of, sample


@dataclass(frozen=True)
class _Counts:
    """A column a group, a row a time with an event of any kind."""

    at_risk: Floats
    events: Floats
    competing: Floats


class _Totals:
    """What the variance adds up on the way through time, in the notation of the paper's appendix."""

    def __init__(self, groups: int) -> None:
        self.score = np.zeros(groups)
        self.drift = np.zeros((groups, groups))
        self.direct = np.zeros((groups, groups))
        self.mixed = np.zeros((groups, groups))
        self.spread = np.zeros(groups)

    def add(self, reaction: Floats, slope: Floats, size: Floats) -> None:
        """Adds independent increments: one a group, each with its variance `size`."""
        self.direct += (reaction * size) @ reaction.T
        self.mixed += reaction * (slope * size)
        self.spread += slope**2 * size

    def variance(self) -> Floats:
        """The variance of the scores."""
        crossed = self.drift @ self.mixed.T
        return self.direct + (self.drift * self.spread) @ self.drift.T + crossed + crossed.T


def estimate_gray(time: ArrayLike, cause: ArrayLike, group: ArrayLike, *, of: int = 1) -> GroupTest:
    """Gray's test (rho = 0) of the cause `of`, 0 being censored and every other code competing.

    Agrees with R's `cmprsk::cuminc`, its factors for ties included. None where nothing can be compared: one
    group, or no event of interest. Source: Gray 1988, section 2 and appendix.
    """
    rows = sample(time, cause)
    levels, codes = groups_of(group, len(rows))
    if len(levels) < 2 or not np.any(rows.event == of):
        return GroupTest(None, max(len(levels) - 1, 0), None, NO_CONTRAST)
    times = np.unique(rows.stop[rows.event > 0])
    members = [codes == number for number in range(len(levels))]
    counts = _Counts(
        np.array([count_at_risk(None, rows.stop[m], times) for m in members], dtype=float).T,
        np.array([count_at(rows.stop, m & (rows.event == of), times) for m in members], dtype=float).T,
        np.array(
            [count_at(rows.stop, m & (rows.event > 0) & (rows.event != of), times) for m in members],
            dtype=float,
        ).T,
    )
    totals = _walk(counts)
    # One group says nothing that the others don't: the scores add up to 0.
    return chi_square_test(totals.score[:-1], totals.variance()[:-1, :-1])


def _walk(counts: _Counts) -> _Totals:
    groups = counts.at_risk.shape[1]
    totals = _Totals(groups)
    survival, incidence = np.ones(groups), np.zeros(groups)
    pooled = 0.0
    for at_risk, events, competing in zip(counts.at_risk, counts.events, counts.competing, strict=True):
        live = at_risk > 0
        risk = np.where(live, at_risk, 1.0)
        before = np.where(live, survival, 1.0)
        survival = np.where(live, survival * (risk - events - competing) / risk, survival)
        weight = np.where(live, at_risk / before, 0.0)
        subdistribution = weight * (1 - incidence)
        deaths = events.sum()
        step = deaths / weight.sum()
        totals.score += events - deaths * subdistribution / subdistribution.sum() if deaths else 0.0
        change = np.diag(weight) - np.outer(weight, weight) / weight.sum()
        if deaths:
            totals.drift += change * step / (1 - pooled)
        pooled += step
        incidence = incidence + np.where(live, before * events / risk, 0.0)
        left = np.divide(1 - pooled, survival, out=np.zeros(groups), where=survival > 0)
        if deaths:
            tied = 1 - (deaths - 1) / (weight.sum() * before - 1) if deaths > 1 else 1.0
            size = np.where(live, tied * before * step / risk, 0.0)
            totals.add(change - (1 - left) * totals.drift, 1 - left, size)
        if competing.any():
            chosen = (survival > 0) & (competing > 0)
            tied = np.where(competing > 1, 1 - (competing - 1) / np.maximum(risk - 1, 1), 1.0)
            size = np.where(chosen, tied * before**2 * competing / risk**2, 0.0)
            totals.add(-left * totals.drift, left, size)
    return totals
