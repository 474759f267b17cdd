"""The hazard ratio of two weighted groups: Efron's ties, robust variance.

lifelines has a weighted fit, but its robust variance departs from R's where times are tied, and a fit takes it some
35 ms, which a bootstrap has no time for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.statistics.cox import EVENTS_PER_PARAMETER, FEW_EVENTS, NO_CONVERGENCE, HazardRatio, empty
from reports.statistics.distributions import normal_quantile, normal_tail
from reports.statistics.risk_sets import Floats, Integers

METHOD = "efron robust"
NEWTON_STEPS = 60
SETTLED = 1e-12
FARTHEST = 30.0


@dataclass(frozen=True)
class _Ties:
    """One row for each event in the order of times: what is at risk when it comes, of its tied events a share less.

    `at_risk` and `at_risk_study` are sums of weights by group; `weight` is the mean weight of the tied events;
    `time` is the position of the event time, `share` the k/d of Efron.
    """

    control: Floats
    study: Floats
    weight: Floats
    time: Integers
    share: Floats
    times: Floats


def estimate_weighted_hazard_ratio(
    time: Floats, event: Floats, is_study: Floats, weights: Floats, *, level: float = 0.95
) -> HazardRatio:
    """The hazard ratio of the study against the controls, with limits and p by the robust variance.

    Agrees with R's `coxph(…, weights, robust = TRUE)`. Source: Lin & Wei 1989; Binder 1992. Empty with the reason
    `no_events`, `no_contrast` or `separation`.
    """
    happened = event > 0
    events = int(happened.sum())
    given = (FEW_EVENTS,) if events < EVENTS_PER_PARAMETER else ()
    fit = weighted_log_ratio(time, event, is_study, weights)
    if isinstance(fit, str):
        return empty(len(time), events, METHOD, given, fit)
    ties = _ties(time, happened, is_study, weights)
    std_err = _robust_error(ties, fit, time, happened, is_study, weights)
    half = normal_quantile((1 + level) / 2) * std_err
    ratio, low, high = (float(np.exp(value)) for value in (fit, fit - half, fit + half))
    if not std_err > 0 or not np.isfinite([ratio, low, high]).all():
        return empty(len(time), events, METHOD, given, NO_CONVERGENCE)
    p = 2 * normal_tail(abs(fit) / std_err)
    return HazardRatio(ratio, low, high, p, fit, std_err, len(time), events, METHOD, given)


def weighted_log_ratio(time: Floats, event: Floats, is_study: Floats, weights: Floats) -> float | str:
    """The log of the hazard ratio, or the reason why there is none."""
    happened = event > 0
    if not happened.any():
        return "no_events"
    ties = _ties(time, happened, is_study, weights)
    both = (ties.study > 0) & (ties.control > 0)
    if not both.any():
        return "no_contrast"
    contrasted = np.isin(time, ties.times[np.unique(ties.time[both])]) & happened
    groups = set(is_study[contrasted])
    if len(groups) < 2:
        return "separation"
    observed = float((weights * is_study)[happened].sum())
    coefficient = 0.0
    for _ in range(NEWTON_STEPS):
        share = _study_share(ties, coefficient)
        score = observed - float(ties.weight @ share)
        information = float(ties.weight @ (share * (1 - share)))
        if not information > 0:
            return NO_CONVERGENCE
        # The likelihood is concave; a step of more than 2 could only overshoot.
        step = float(np.clip(score / information, -2.0, 2.0))
        coefficient += step
        if abs(coefficient) > FARTHEST:
            return "separation"
        if abs(step) < SETTLED:
            return coefficient
    return NO_CONVERGENCE


def _ties(time: Floats, happened: np.ndarray, is_study: Floats, weights: Floats) -> _Ties:
    times, position = np.unique(time[happened], return_inverse=True)
    by_group = [_at_risk(time, weights * chosen, times) for chosen in (1 - is_study, is_study)]
    tied = [
        np.bincount(position, (weights * chosen)[happened], len(times)) for chosen in (1 - is_study, is_study)
    ]
    deaths = np.bincount(position, minlength=len(times))
    row = np.repeat(np.arange(len(times)), deaths)
    share = (np.arange(len(row)) - np.repeat(np.cumsum(deaths) - deaths, deaths)) / deaths[row]
    control, study = (group[row] - share * events[row] for group, events in zip(by_group, tied, strict=True))
    weight = ((tied[0] + tied[1]) / deaths)[row]
    return _Ties(np.maximum(control, 0.0), np.maximum(study, 0.0), weight, row, share, times)


def _at_risk(time: Floats, weights: Floats, times: Floats) -> Floats:
    """The weights of those whose time is at least each of `times`; exactly 0 after the last of a group."""
    order = np.argsort(-time, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    return sums[np.searchsorted(-time[order], -times, side="right")]


def _study_share(ties: _Ties, coefficient: float) -> Floats:
    """The study's share of the hazard at each event."""
    study = ties.study * np.exp(coefficient)
    return study / (study + ties.control)


def _robust_error(
    ties: _Ties, coefficient: float, time: Floats, happened: np.ndarray, is_study: Floats, weights: Floats
) -> float:
    """The root of the sum of the squared, weighted score residuals, over the information."""
    share = _study_share(ties, coefficient)
    total = ties.study * np.exp(coefficient) + ties.control
    information = float(ties.weight @ (share * (1 - share)))
    last = np.searchsorted(ties.times, time, side="right")
    at = np.searchsorted(ties.times, time[happened])
    deaths = np.bincount(ties.time, minlength=len(ties.times))
    mean_share = np.bincount(ties.time, share, len(ties.times)) / deaths
    residual = np.zeros(len(time))
    for group, hazard in ((0.0, 1.0), (1.0, float(np.exp(coefficient)))):
        each = hazard * ties.weight * (group - share) / total
        steps = np.bincount(ties.time, each, len(ties.times))
        # Of a tied event only the part that Efron leaves at risk.
        spared = np.bincount(ties.time, each * ties.share, len(ties.times))
        upto = np.concatenate([[0.0], np.cumsum(steps)])
        chosen = is_study == group
        residual[chosen] -= upto[last[chosen]]
        died = chosen[happened]
        own = np.flatnonzero(happened)[died]
        residual[own] += (group - mean_share[at[died]]) + spared[at[died]]
    return float(np.sqrt(((weights * residual) ** 2).sum()) / information)
