"""Survival by an event during follow-up: naive (biased), landmarks, time-dependent, Mantel-Byar, Simon-Makuch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from reports.statistics.cautions import IMMORTAL_TIME, LATE_ENTRY, caution_row
from reports.statistics.hazard_rows import estimate_guarded, hazard_rows
from reports.statistics.kaplan_meier import Curve, estimate_curve, estimate_survival_at
from reports.statistics.logrank import GroupTest, estimate_log_rank, estimate_mantel_byar
from reports.statistics.rows import Place, Row
from reports.statistics.time_dependent import ExposureRows, group_at_landmark, split_at_exposure
from reports.statistics.time_to_event import DAYS_A_WEEK
from studies.protocol import Protocol, SurvivalBy

# Levels of the Simon-Makuch curves: persons who have had the event, and persons without it yet.
SINCE, BEFORE = "yes", "no"


@dataclass(frozen=True)
class _Times:
    """Overall survival in days, whether it ended by death, and the day of the event, NaN for never."""

    days: Any
    died: Any
    event_day: Any

    @property
    def ever(self) -> Any:
        """Whether the event ever came: known only at the end."""
        return (~np.isnan(self.event_day)).astype(np.int64)

    def rows(self) -> ExposureRows:
        """Each person's time, split where the event came."""
        return split_at_exposure(self.days, self.died, self.event_day)


def survival_by_rows(times: pl.DataFrame, protocol: Protocol, rules: SurvivalBy, group: str) -> Iterator[Row]:
    """The comparisons of docs/clinical-rules.md, each with persons, deaths, hazard ratio, limits and Wald's p.

    `times` has one row a person: `days` and `status` of overall survival, `comparing_event_day` of the event or null.
    The naive one groups by what happens later, and so is biased; it is there to compare with others'.
    """
    place, by = Place(f"survival_by_{rules.event}", group), _times(times)
    yield from _naive_rows(place, by)
    for landmark in rules.landmarks:
        groups = group_at_landmark(by.days, by.event_day, landmark)
        kept = groups.kept
        here = place.at(f"landmark_{landmark}")
        yield from _ratio_rows(here, int(kept.sum()), by.days[kept], by.died[kept], groups.exposed)
    rows = by.rows()
    here = place.at("time_dependent")
    yield from _ratio_rows(here, len(by.days), rows.stop, rows.event, rows.exposed, start=rows.start)
    test = estimate_mantel_byar(rows.start, rows.stop, rows.event, rows.exposed)
    yield from _test_rows(place.at("mantel_byar"), test)
    curves = _curves(rows, protocol.analyses.survival_interval)
    yield from _curve_rows(curves, rows, protocol.analyses.report_weeks, rules, group)


def simon_makuch_curves(times: pl.DataFrame, protocol: Protocol) -> dict[str, Curve]:
    """Overall survival in days with the event as it comes: of persons since it, and of those before or without.

    A person leaves the one curve and joins the other on the day of the event. Source: Simon & Makuch 1984.
    """
    return _curves(_times(times).rows(), protocol.analyses.survival_interval)


def simon_makuch_analysis(rules: SurvivalBy) -> str:
    """The analysis of the two curves."""
    return f"survival_by_{rules.event}.simon_makuch"


def _times(times: pl.DataFrame) -> _Times:
    # Sums of doubles depend on their order; equal rows are interchangeable.
    ordered = times.sort("days", "status", "comparing_event_day")
    event_day = ordered["comparing_event_day"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return _Times(ordered["days"].to_numpy(), (ordered["status"] == 1).to_numpy(), event_day)


def _naive_rows(place: Place, by: _Times) -> Iterator[Row]:
    yield from _ratio_rows(place.at("naive"), len(by.days), by.days, by.died, by.ever)
    yield from _test_rows(place.at("logrank_naive"), estimate_log_rank(by.days, by.died, by.ever))
    if by.ever.any():
        yield from (caution_row(place.at(level), IMMORTAL_TIME) for level in ("naive", "logrank_naive"))


def _ratio_rows(
    place: Place, persons: int, time: Any, event: Any, exposed: Any, *, start: ArrayLike | None = None
) -> Iterator[Row]:
    fits = estimate_guarded(time, event, {"exposed": exposed}, start=start)["exposed"]
    yield from hazard_rows(place, persons, fits)


def _test_rows(place: Place, test: GroupTest) -> Iterator[Row]:
    yield place.number("chi2", test.chi2, 2)
    yield place.p(test.p)


def _curves(rows: ExposureRows, interval: str) -> dict[str, Curve]:
    made = {}
    for level, exposed in ((SINCE, 1), (BEFORE, 0)):
        chosen = rows.exposed == exposed
        made[level] = estimate_curve(
            rows.stop[chosen], rows.event[chosen], start=rows.start[chosen], interval=interval
        )
    return made


def _curve_rows(
    curves: Mapping[str, Curve],
    rows: ExposureRows,
    report_weeks: Sequence[int],
    rules: SurvivalBy,
    group: str,
) -> Iterator[Row]:
    place = Place(simon_makuch_analysis(rules), group)
    for level, curve in curves.items():
        persons = np.unique(rows.person[rows.exposed == int(level == SINCE)])
        yield place.at(level).count("n", len(persons))
        yield place.at(level).count("events", curve.n_events)
        for week in report_weeks:
            yield from _week_rows(curve, week, place.at(f"{level} week_{week}"))
    if curves[SINCE].n:
        yield caution_row(place.at(SINCE), LATE_ENTRY)


def _week_rows(curve: Curve, week: int, place: Place) -> Iterator[Row]:
    day = week * DAYS_A_WEEK
    at = estimate_survival_at(curve, day)
    # Before anybody has joined a curve it says nothing, not that all survive.
    has_begun = curve.sample.start is not None and bool(np.any(curve.sample.start < day))
    yield place.number("survival", at.survival if has_begun else None, 3, method=curve.method)
    yield place.number("ci_low", at.ci_low if has_begun else None, 3, method=curve.method)
    yield place.number("ci_high", at.ci_high if has_begun else None, 3, method=curve.method)
    yield place.count("at_risk", at.at_risk)
