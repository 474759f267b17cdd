"""The log-rank test of groups, and its time-dependent form, the Mantel-Byar test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reports.statistics.distributions import chi_square_tail
from reports.statistics.risk_sets import Floats, Sample, count_at, count_at_risk, groups_of, sample

NO_CONTRAST = "no_contrast"


@dataclass(frozen=True)
class GroupTest:
    """A chi-square test between groups; `chi2` and `p` are None with a `reason` where it can't be made."""

    chi2: float | None
    df: int
    p: float | None
    reason: str | None = None


def chi_square_test(score: Floats, variance: Floats) -> GroupTest:
    """The test of scores that are 0 without a difference; None where their variance is singular."""
    df = len(score)
    if df == 0 or not np.all(np.isfinite(variance)) or np.linalg.matrix_rank(variance) < df:
        return GroupTest(None, df, None, NO_CONTRAST)
    statistic = float(score @ np.linalg.solve(variance, score))
    return GroupTest(statistic, df, chi_square_tail(statistic, df))


def estimate_log_rank(time: ArrayLike, event: ArrayLike, group: ArrayLike) -> GroupTest:
    """The log-rank test of two or more groups, as R's survdiff (hypergeometric variance at ties).

    A group of which nobody is at risk at an event takes no part. Source: Mantel 1966; Peto & Peto 1972.
    """
    return _test(sample(time, event), group)


def estimate_mantel_byar(
    start: ArrayLike, stop: ArrayLike, event: ArrayLike, exposed: ArrayLike
) -> GroupTest:
    """The log-rank test of rows at risk on (start, stop], each with its exposure at that time.

    A person who becomes exposed has a row before and a row after, and so counts in the risk set of the
    one and then of the other. The score test of R's coxph with exact ties. Source: Mantel & Byar 1974.
    """
    return _test(sample(stop, event, start), exposed)


def _test(rows: Sample, group: ArrayLike) -> GroupTest:
    levels, codes = groups_of(group, len(rows))
    times = np.unique(rows.stop[rows.event > 0])
    at_risk, events = np.empty((len(levels), len(times))), np.empty((len(levels), len(times)))
    for number in range(len(levels)):
        chosen = codes == number
        entries = None if rows.start is None else rows.start[chosen]
        at_risk[number] = count_at_risk(entries, rows.stop[chosen], times)
        events[number] = count_at(rows.stop, chosen & (rows.event > 0), times)
    everyone, deaths = at_risk.sum(axis=0), events.sum(axis=0)
    share = at_risk / everyone
    weight = deaths * (everyone - deaths) / np.maximum(everyone - 1, 1)
    expected = (share * deaths).sum(axis=1)
    variance = np.diag((share * weight).sum(axis=1)) - (share * weight) @ share.T
    # One group says nothing that the others don't: the scores add up to 0.
    kept = np.flatnonzero(expected > 0)[1:]
    score = (events.sum(axis=1) - expected)[kept]
    return chi_square_test(score, variance[np.ix_(kept, kept)])
