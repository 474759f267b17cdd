"""The study against control patients: who they are, how well weights balance them, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp

import numpy as np

from reports.statistics.cautions import CAUTIONS, caution_row
from reports.statistics.control_estimates import (
    ALL_WEIGHTINGS,
    Interval,
    Spread,
    Weighted,
    bootstrap,
    weighted_persons,
)
from reports.statistics.control_persons import Outcome, Persons, control_persons
from reports.statistics.cox import HazardRatio, empty
from reports.statistics.groups import Frames
from reports.statistics.risk_sets import Floats
from reports.statistics.rows import NO_VALUE, Place, Row
from reports.statistics.weighted_cox import METHOD, estimate_weighted_hazard_ratio
from reports.statistics.weighting import effective_size, standardised_difference, weighted_mean
from studies.protocol import Control

BOOTSTRAP = "bootstrap"
GROUPS = (("study", 1), ("control", 0))


def control_rows(frames: Frames, rules: Control, spread: Spread) -> Iterator[Row]:
    """Every row of `control.*`. Raises IncompleteTable when a table of the controls is missing."""
    everybody = control_persons(frames, rules)
    persons = everybody.chosen(everybody.is_complete) if rules.missing == "complete_cases" else everybody
    yield from _person_rows(everybody, persons)
    made = weighted_persons(persons, rules.trim)
    yield from _balance_rows(persons, made)
    for weighting in ALL_WEIGHTINGS:
        yield from _weight_rows(weighting, made[weighting])
    intervals = bootstrap(persons, rules.trim, rules.replicates, rules.seed, spread)
    for number, outcome in enumerate(persons.outcomes):
        for weighting in ALL_WEIGHTINGS:
            chosen = made[weighting].persons.outcomes[number]
            place = Place(f"control.{outcome.name}", level=weighting)
            interval = intervals[outcome.name, weighting]
            rows = _proportion_rows if outcome.time is None else _hazard_rows
            yield from rows(place, made[weighting], chosen, interval)
            yield place.row("replicates", float(interval.usable), str(interval.usable), BOOTSTRAP)


def _person_rows(everybody: Persons, analysed: Persons) -> Iterator[Row]:
    """Both groups: how many, how many without a covariate, how many are in the model."""
    for level, group in GROUPS:
        place, chosen = Place("control.persons", level=level), everybody.is_study == group
        yield place.count("n", int(chosen.sum()))
        yield place.count("complete", int((everybody.is_complete & chosen).sum()))
        yield place.count("analysed", int((analysed.is_study == group).sum()))
        for name, mask in everybody.missing.items():
            yield Place("control.missing", level=name).count(level, int((mask & chosen).sum()))


def _balance_rows(persons: Persons, made: dict[str, Weighted]) -> Iterator[Row]:
    """Means of both groups and their standardised difference, before and after weighting."""
    for number, column in enumerate(persons.columns):
        place = Place("control.balance", level=column.name)
        for weighting, weighted in made.items():
            values, is_study = weighted.persons.columns[number].values, weighted.persons.is_study
            if weighted.weights is None:
                yield place.number("smd", None, 3, method=weighting, empty=_not_estimable(weighted.reason))
                continue
            for level, group in GROUPS:
                mean = weighted_mean(values[is_study == group], weighted.weights[is_study == group])
                yield place.number(level, mean, 2, method=weighting)
            smd = standardised_difference(is_study, values, weighted.weights)
            yield place.number("smd", smd, 3, method=weighting)


def _weight_rows(weighting: str, weighted: Weighted) -> Iterator[Row]:
    for level, group in GROUPS:
        place, chosen = Place("control.weights", level=level), weighted.persons.is_study == group
        if weighted.weights is None:
            yield place.number(
                "effective_n", None, 1, method=weighting, empty=_not_estimable(weighted.reason)
            )
            continue
        weights = weighted.weights[chosen]
        largest = float(np.max(weights)) if len(weights) else None
        yield place.row("n", float(chosen.sum()), str(int(chosen.sum())), weighting)
        yield place.number("effective_n", effective_size(weights), 1, method=weighting)
        yield place.number("largest", largest, 2, method=weighting)


def _proportion_rows(place: Place, weighted: Weighted, outcome: Outcome, interval: Interval) -> Iterator[Row]:
    """Weighted percentages of both groups, and their difference in percentage points."""
    reason, is_study = _not_estimable(weighted.reason), weighted.persons.is_study
    shares: list[float | None] = [None, None]
    if weighted.weights is not None:
        chosen = [is_study == group for _, group in GROUPS]
        shares = [weighted_mean(outcome.event[mask], weighted.weights[mask]) for mask in chosen]
    for (level, _), share in zip(GROUPS, shares, strict=True):
        yield place.number(level, None if share is None else 100 * share, 1, empty=reason)
    difference = None if shares[0] is None or shares[1] is None else 100 * (shares[0] - shares[1])
    yield place.number("difference", difference, 1, empty=reason)
    for statistic, limit in (("ci_low", interval.low), ("ci_high", interval.high)):
        usable = None if limit is None or difference is None else 100 * limit
        yield place.number(statistic, usable, 1, method=BOOTSTRAP, empty=_few(interval))


def _hazard_rows(place: Place, weighted: Weighted, outcome: Outcome, interval: Interval) -> Iterator[Row]:
    """Events of both groups, and the weighted hazard ratio with robust and with bootstrap limits."""
    if outcome.time is None:
        raise ValueError(f"{outcome.name} is no time to an event")
    yield place.count("events", int(outcome.event.sum()))
    fit = _fitted(weighted, outcome.time, outcome.event)
    yield place.number("hr", fit.hr, 2, method=METHOD, empty=_not_estimable(fit.reason))
    yield place.number("ci_low", fit.ci_low, 2, method=METHOD)
    yield place.number("ci_high", fit.ci_high, 2, method=METHOD)
    yield place.p(fit.p, method=METHOD)
    if fit.hr is not None:
        yield from (caution_row(place, CAUTIONS[name], METHOD) for name in fit.warnings)
    for statistic, limit in (("ci_low", interval.low), ("ci_high", interval.high)):
        usable = None if limit is None or fit.hr is None else exp(limit)
        yield place.number(statistic, usable, 2, method=BOOTSTRAP, empty=_few(interval))


def _fitted(weighted: Weighted, time: Floats, event: Floats) -> HazardRatio:
    if weighted.weights is None:
        return empty(len(time), int(event.sum()), METHOD, (), weighted.reason or "")
    return estimate_weighted_hazard_ratio(time, event, weighted.persons.is_study, weighted.weights)


def _not_estimable(reason: str | None) -> str:
    return NO_VALUE if reason is None else f"not estimable ({reason.replace('_', ' ')})"


def _few(interval: Interval) -> str:
    return (
        f"not estimable (of the replicates {interval.usable} are usable)"
        if interval.low is None
        else NO_VALUE
    )
