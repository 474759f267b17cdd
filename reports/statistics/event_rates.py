"""Adverse events for each 100 person-years, with exact Poisson limits."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.adverse_events import KINDS
from reports.statistics.cautions import MISSING_ONSET, REPEATED_EVENTS, caution_row
from reports.statistics.poisson import estimate_rate
from reports.statistics.rows import Place, Row
from studies.protocol import Rate

DAYS_A_YEAR = 365.25
PER_YEARS = 100


def rate_rows(
    teae: pl.DataFrame, time_at_risk: pl.DataFrame, name: str, rules: Rate, group: str
) -> Iterator[Row]:
    """The rate that the protocol names `name`, as `rate.<name>`.

    `time_at_risk` has one row a treated person, with the first day and the number of days, both ends
    counted, in which an event is treatment-emergent. Of first events a person's time ends on the day of
    the first one, counted; of all events it goes on. An event without an onset is put on the first day.
    """
    place = Place(f"rate.{name}", group)
    events = teae.filter(KINDS[rules.of])
    counted = events.select("person_id", "resource_key").n_unique()
    with_event = events["person_id"].n_unique()
    days = _days(events, time_at_risk) if rules.count == "first" else int(time_at_risk["days"].sum())
    years = days / DAYS_A_YEAR
    rate = estimate_rate(with_event if rules.count == "first" else counted, years / PER_YEARS)
    yield place.count("n", with_event)
    yield place.count("events", with_event if rules.count == "first" else counted)
    yield place.number("person_years", years, 2)
    yield place.number("rate", rate.rate, 1, method=rate.method)
    yield place.number("ci_low", rate.ci_low, 1, method=rate.method)
    yield place.number("ci_high", rate.ci_high, 1, method=rate.method)
    if rules.count == "all" and counted > with_event:
        yield caution_row(place, REPEATED_EVENTS, rate.method)
    if rules.count == "first" and events["onset_on"].null_count():
        yield caution_row(place, MISSING_ONSET, rate.method)


def _days(events: pl.DataFrame, time_at_risk: pl.DataFrame) -> int:
    """Days of all persons, each to the first event or the end of the time at risk."""
    onset = pl.col("onset_on").fill_null(pl.col("starts_on"))
    first = (
        events.join(time_at_risk.select("person_id", "starts_on"), on="person_id")
        .group_by("person_id")
        .agg(((onset - pl.col("starts_on")).dt.total_days() + 1).min().alias("to_event"))
    )
    ends = time_at_risk.join(first, on="person_id", how="left").select(
        # Without an event `to_event` is null, which a horizontal minimum passes over.
        pl.min_horizontal("days", pl.col("to_event").clip(lower_bound=1))
    )
    return int(ends["days"].sum())
