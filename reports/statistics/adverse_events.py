"""Treatment-emergent adverse events: persons and events, overall, by SOC and by PT."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.rows import Place, Row

SEVERE_GRADE = 3
KINDS: dict[str, pl.Expr] = {
    "any": pl.lit(True),
    "grade_3_plus": pl.col("grade") >= SEVERE_GRADE,
    "serious": pl.col("is_serious"),
    "related": pl.col("is_related"),
    "fatal": pl.col("is_fatal"),
    "led_to_discontinuation": pl.col("led_to_discontinuation"),
}


def adverse_event_rows(teae: pl.DataFrame, persons: int, group: str) -> Iterator[Row]:
    """The overview, then each SOC and PT that has an event; an event without a code has neither.

    `teae` has one row a treatment-emergent event; percent is of `persons`, the treated ones of the group.
    A grade that nobody gave isn't 3 or more.
    """
    place = Place("teae", group)
    for level, condition in KINDS.items():
        yield from _event_rows(teae.filter(condition), persons, place.at(level))
    yield from _term_rows(teae, "soc", persons, Place("teae.soc", group))
    yield from _term_rows(teae, "pt", persons, Place("teae.pt", group))


def _term_rows(teae: pl.DataFrame, column: str, persons: int, place: Place) -> Iterator[Row]:
    coded = teae.filter(pl.col(column).is_not_null() & (pl.col(column) != ""))
    counted = coded.group_by(column).agg(
        pl.col("person_id").n_unique().alias("persons"),
        pl.struct("person_id", "event_key").n_unique().alias("events"),
    )
    for level, with_event, events in counted.sort(column).iter_rows():
        yield from place.at(level).persons(with_event, persons)
        yield place.at(level).count("events", events)


def _event_rows(events: pl.DataFrame, persons: int, place: Place) -> Iterator[Row]:
    yield from place.persons(events["person_id"].n_unique(), persons)
    yield place.count("events", events.select("person_id", "event_key").n_unique())
