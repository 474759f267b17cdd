"""Times to event: Kaplan-Meier medians, survival at the report's weeks, and follow-up, in weeks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from reports.statistics.kaplan_meier import (
    Curve,
    Median,
    estimate_curve,
    estimate_follow_up,
    estimate_median,
    estimate_survival_at,
)
from reports.statistics.quantiles import summarise
from reports.statistics.rows import NO_VALUE, NOT_REACHED, Place, Row, weeks
from studies.protocol import Endpoint, Protocol

DAYS_A_WEEK = 7


def endpoint_names(name: str, endpoint: Endpoint) -> list[str]:
    """The analyses of an endpoint: its own, and one for each variant."""
    return [name, *(f"{name}.{variant}" for variant in endpoint.variants)]


def endpoint_rows(times: pl.DataFrame, name: str, protocol: Protocol, group: str) -> Iterator[Row]:
    """The rows of one endpoint, a variant included.

    `times` has one row a person, with `days` and `status` (1 for the event). Endpoints of all treated
    persons have the survival at the report's weeks; those of responders, whose lengths may be censored,
    the raw median of all lengths beside the Kaplan-Meier one.
    """
    endpoint = protocol.endpoints[name.split(".")[0]]
    place = Place(name, group, population=endpoint.population)
    curve = estimate_curve(times["days"], times["status"] == 1, interval=protocol.analyses.survival_interval)
    yield place.count("n", curve.n)
    yield place.count("events", curve.n_events)
    yield from _median_rows(estimate_median(curve), curve, place)
    lengths = summarise(times["days"])
    yield place.number("min", weeks(lengths.min), 1)
    yield place.number("max", weeks(lengths.max), 1)
    if endpoint.population == "treated":
        yield from _week_rows(curve, protocol.analyses.report_weeks, place)
    elif endpoint.censor:
        yield place.number("raw_median", weeks(lengths.median), 1)


def follow_up_rows(times: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """The median follow-up, by the reverse Kaplan-Meier curve of overall survival."""
    interval = protocol.analyses.survival_interval
    curve = estimate_follow_up(times["days"], times["status"] == 1, interval=interval)
    yield from _median_rows(estimate_median(curve), curve, Place("follow_up", group))


def _median_rows(median: Median, curve: Curve, place: Place) -> Iterator[Row]:
    empty = NOT_REACHED if curve.n else NO_VALUE
    for statistic, days in (
        ("median", median.median),
        ("ci_low", median.ci_low),
        ("ci_high", median.ci_high),
    ):
        yield place.number(statistic, weeks(days), 1, method=curve.method, empty=empty)


def _week_rows(curve: Curve, report_weeks: Sequence[int], place: Place) -> Iterator[Row]:
    for week in report_weeks:
        at = estimate_survival_at(curve, week * DAYS_A_WEEK)
        here = place.at(f"week_{week}")
        yield here.number("survival", at.survival, 3, method=curve.method)
        yield here.number("ci_low", at.ci_low, 3, method=curve.method)
        yield here.number("ci_high", at.ci_high, 3, method=curve.method)
        yield here.count("at_risk", at.at_risk)
