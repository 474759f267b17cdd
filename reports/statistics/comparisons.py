"""Groups compared in a cumulative incidence: Gray's test, and Cox regression of each cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.statistics.cautions import IMMORTAL_TIME, caution_row
from reports.statistics.competing_risks import estimate_incidence
from reports.statistics.gray import estimate_gray
from reports.statistics.groups import YES_NO, Group
from reports.statistics.hazard_rows import estimate_guarded, hazard_rows
from reports.statistics.incidence import incidence_week_rows
from reports.statistics.rows import NO_VALUE, Place, Row
from reports.statistics.time_dependent import split_at_exposure
from studies.protocol import Incidence, Protocol

# How a row of an incidence ended, with what its analysis adds to the comparison's name.
CAUSES = {"": 1, ".competing": 2}


def comparison_rows(
    times: pl.DataFrame, name: str, protocol: Protocol, groups: Sequence[Group], cohort: pl.DataFrame
) -> Iterator[Row]:
    """The comparison that the protocol names `name`, as `gray.<name>` and `cause_specific.<name>`.

    `times` has one row a person of the incidence's population, with `start_on`, `days` and `status`; `groups`
    are those compared, and a person of none takes no part; beside the test stands the incidence of each. Of
    the event of `survival_by`, whose day is `comparing_event_on` of `cohort`, Gray's test takes ever against
    never, which is biased, and the Cox regressions take the event as it comes.
    """
    rules = protocol.comparisons[name]
    incidence = protocol.incidences[rules.incidence]
    is_later = protocol.survival_by is not None and rules.by == protocol.survival_by.event
    grouped = _grouped(times, groups)
    if "gray" in rules.methods:
        place = Place(f"gray.{name}", population=incidence.population)
        yield from _gray_rows(grouped, place, is_later)
        for group in groups:
            of_group = grouped.filter(pl.col("level") == group.level)
            yield from _incidence_rows(of_group, place, group.level, incidence, protocol)
    if "cause_specific" not in rules.methods:
        return
    for suffix, cause in CAUSES.items():
        place = Place(f"cause_specific.{name}{suffix}", population=incidence.population)
        if is_later:
            yield from _later_rows(times, place, cause, incidence, cohort, protocol)
        else:
            levels = [group.level for group in groups]
            yield from _group_rows(grouped, place, cause, levels)


def _grouped(times: pl.DataFrame, groups: Sequence[Group]) -> pl.DataFrame:
    levels = [group.persons.select("person_id", pl.lit(group.level).alias("level")) for group in groups]
    none = pl.DataFrame(schema={"person_id": pl.String, "level": pl.String})
    # Sums of doubles depend on their order; equal rows are interchangeable.
    return times.join(pl.concat([none, *levels]), on="person_id").sort("days", "status", "level")


def _gray_rows(grouped: pl.DataFrame, place: Place, is_later: bool) -> Iterator[Row]:
    test = estimate_gray(grouped["days"], grouped["status"], grouped["level"])
    why = "" if test.reason is None else test.reason.replace("_", " ")
    empty = NO_VALUE if grouped.is_empty() else f"not estimable ({why})"
    yield place.count("n", grouped.height)
    yield place.count("groups", grouped["level"].n_unique())
    yield place.number("chi2", test.chi2, 2, empty=empty)
    yield place.count("df", test.df)
    yield place.p(test.p)
    if is_later and test.chi2 is not None:
        yield caution_row(place, IMMORTAL_TIME)


def _incidence_rows(
    times: pl.DataFrame, place: Place, level: str, incidence: Incidence, protocol: Protocol
) -> Iterator[Row]:
    """One group's cumulative incidence, which the test compares with the others'."""
    curve = estimate_incidence(times["days"], times["status"], interval=protocol.analyses.survival_interval)
    yield place.at(level).count("n", curve.n)
    yield place.at(level).count("events", curve.n_events)
    yield from incidence_week_rows(curve, incidence, protocol, place, f"{level} ")


def _group_rows(grouped: pl.DataFrame, place: Place, cause: int, levels: Sequence[str]) -> Iterator[Row]:
    """Each group with persons against the first such one, in one model."""
    present = set(grouped["level"])
    reference, *others = [level for level in levels if level in present] or [""]
    columns = {f"{level} against {reference}": (grouped["level"] == level).to_numpy() for level in others}
    # With one group there is no contrast; the row is there all the same, and says so.
    columns = columns or {"": np.zeros(grouped.height)}
    fits = estimate_guarded(grouped["days"], grouped["status"] == cause, columns)
    for level, found in fits.items():
        yield from hazard_rows(place.at(level), grouped.height, found)


def _later_rows(
    times: pl.DataFrame,
    place: Place,
    cause: int,
    incidence: Incidence,
    cohort: pl.DataFrame,
    protocol: Protocol,
) -> Iterator[Row]:
    dated = times.join(cohort.select("person_id", "comparing_event_on"), on="person_id").with_columns(
        (pl.col("comparing_event_on") - pl.col("start_on"))
        .dt.total_days()
        .clip(lower_bound=0)
        .alias("comparing_event_day")
    )
    dated = dated.sort("days", "status", "comparing_event_day")
    days, status = dated["days"].to_numpy(), dated["status"].to_numpy()
    event_day = dated["comparing_event_day"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    comes_after = _ends_before_it(status, incidence, protocol) & (event_day == days)
    rows = split_at_exposure(days, status == cause, np.where(comes_after, np.nan, event_day))
    fits = estimate_guarded(rows.stop, rows.event, {"it": rows.exposed}, start=rows.start)["it"]
    yield from hazard_rows(place.at(" against ".join(YES_NO)), dated.height, fits)


def _ends_before_it(status: NDArray[np.int64], incidence: Incidence, protocol: Protocol) -> NDArray[np.bool_]:
    """Whether a row ended by what comes before the later event on a day with both."""
    first = protocol.survival_by.same_day_first if protocol.survival_by else []
    ended = np.zeros(len(status), dtype=bool)
    for events, cause in ((incidence.events, 1), (incidence.competing, 2)):
        if set(events) <= set(first):
            ended |= status == cause
    return ended
