"""Survival by an event during follow-up: naive (biased), landmarks, time-dependent, Mantel-Byar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
from numpy.typing import ArrayLike

from reports.statistics.cox import HazardRatio, estimate_hazard_ratio
from reports.statistics.firth import estimate_firth
from reports.statistics.logrank import GroupTest, estimate_log_rank, estimate_mantel_byar
from reports.statistics.rows import NO_VALUE, Place, Row
from reports.statistics.time_dependent import group_at_landmark, split_at_exposure
from studies.protocol import SurvivalBy


def survival_by_rows(times: pl.DataFrame, rules: SurvivalBy, group: str) -> Iterator[Row]:
    """The comparisons of docs/clinical-rules.md, each with persons, deaths, hazard ratio, limits and Wald's p.

    `times` has one row a person: `days` and `status` of overall survival, `comparing_event_day` of the event or null.
    The naive one groups by what happens later, and so is biased; it is there to compare with others'.
    """
    place = Place(f"survival_by_{rules.event}", group)
    # Sums of doubles depend on their order; equal rows are interchangeable.
    ordered = times.sort("days", "status", "comparing_event_day")
    days, status = ordered["days"].to_numpy(), (ordered["status"] == 1).to_numpy()
    event_day = ordered["comparing_event_day"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    ever = ordered["comparing_event_day"].is_not_null().cast(pl.Int64).to_numpy()
    yield from _hazard_rows(place.at("naive"), len(days), days, status, ever)
    yield from _test_rows(place.at("logrank_naive"), estimate_log_rank(days, status, ever))
    for landmark in rules.landmarks:
        groups = group_at_landmark(days, event_day, landmark)
        kept = groups.kept
        yield from _hazard_rows(
            place.at(f"landmark_{landmark}"), int(kept.sum()), days[kept], status[kept], groups.exposed
        )
    rows = split_at_exposure(days, status, event_day)
    yield from _hazard_rows(
        place.at("time_dependent"), len(days), rows.stop, rows.event, rows.exposed, start=rows.start
    )
    test = estimate_mantel_byar(rows.start, rows.stop, rows.event, rows.exposed)
    yield from _test_rows(place.at("mantel_byar"), test)


def _hazard_rows(
    place: Place, persons: int, time: Any, event: Any, exposed: Any, *, start: ArrayLike | None = None
) -> Iterator[Row]:
    fit = estimate_hazard_ratio(time, event, exposed, start=start)
    yield place.count("n", persons)
    yield place.count("events", fit.events)
    yield from _ratio_rows(place, fit)
    if fit.hr is None:
        # Where the plain likelihood has no maximum, the penalised one does.
        penalised = estimate_firth(time, event, exposed, start=start)
        if penalised.hr is not None:
            yield from _ratio_rows(place, penalised)


def _ratio_rows(place: Place, fit: HazardRatio) -> Iterator[Row]:
    empty = NO_VALUE if fit.reason is None or fit.n == 0 else f"not estimable ({_words(fit.reason)})"
    yield place.number("hr", fit.hr, 2, method=fit.method, empty=empty)
    yield place.number("ci_low", fit.ci_low, 2, method=fit.method)
    yield place.number("ci_high", fit.ci_high, 2, method=fit.method)
    yield place.p(fit.p, method=fit.method)


def _test_rows(place: Place, test: GroupTest) -> Iterator[Row]:
    yield place.number("chi2", test.chi2, 2)
    yield place.p(test.p)


def _words(reason: str) -> str:
    return reason.replace("_", " ")
