"""Cumulative incidences at the report's weeks, in 0-1, with their competing events."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.competing_risks import IncidenceCurve, estimate_incidence, estimate_incidence_at
from reports.statistics.rows import Place, Row
from reports.statistics.time_to_event import DAYS_A_WEEK
from studies.protocol import Incidence, Protocol


def incidence_rows(times: pl.DataFrame, name: str, protocol: Protocol, group: str) -> Iterator[Row]:
    """The incidence that the protocol names `name`: its counts, and its values at its own weeks or the report's.

    `times` has one row a person, with `days` and `status` (0 censored, 1 the event, 2 a competing one).
    """
    rules = protocol.incidences[name]
    place = Place(analysis_of(name), group, population=rules.population)
    curve = estimate_incidence(times["days"], times["status"], interval=protocol.analyses.survival_interval)
    yield place.count("n", curve.n)
    yield place.count("events", curve.n_events)
    yield place.count("competing", int(curve.competing.sum()))
    yield from incidence_week_rows(curve, rules, protocol, place)


def incidence_week_rows(
    curve: IncidenceCurve, rules: Incidence, protocol: Protocol, place: Place, prefix: str = ""
) -> Iterator[Row]:
    """Incidence, limits and persons at risk at its own weeks or the report's; `prefix` begins the level."""
    for week in rules.weeks or protocol.analyses.report_weeks:
        at = estimate_incidence_at(curve, week * DAYS_A_WEEK)
        here = place.at(f"{prefix}week_{week}")
        yield here.number("incidence", at.incidence, 3, method=curve.method)
        yield here.number("ci_low", at.ci_low, 3, method=curve.method)
        yield here.number("ci_high", at.ci_high, 3, method=curve.method)
        yield here.count("at_risk", at.at_risk)


def analysis_of(name: str) -> str:
    """The analysis of the incidence that the protocol names `name`; its endpoint has the same name."""
    return f"{name}_incidence"
