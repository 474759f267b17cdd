"""Treatment-emergent adverse events: persons and events, overall, by SOC and PT, by grade."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.rows import Place, Row
from studies.protocol import Safety

SEVERE_GRADE = 3
KINDS: dict[str, pl.Expr] = {
    "any": pl.lit(True),
    "grade_3_plus": pl.col("grade") >= SEVERE_GRADE,
    "serious": pl.col("is_serious"),
    "related": pl.col("is_related"),
    "fatal": pl.col("is_fatal"),
    "led_to_discontinuation": pl.col("led_to_discontinuation"),
}
# Kinds that have a table of terms of their own, as `teae.pt.<kind>`.
KINDS_BY_TERM = ("grade_3_plus", "serious", "related")
GRADES = (1, 2, 3, 4, 5)
UNGRADED = "not graded"


def adverse_event_rows(teae: pl.DataFrame, rules: Safety, persons: int, group: str) -> Iterator[Row]:
    """The overview, then each SOC and PT that has an event; an event without a code has neither.

    `teae` has one row a treatment-emergent event; percent is of `persons`, the treated ones of the group.
    A grade that nobody gave isn't 3 or more. `teae.common` has the terms that at least the protocol's
    percentage of persons have, `teae.soc_grade` each person once a SOC, by the worst grade in it.
    """
    place = Place("teae", group)
    for level, condition in KINDS.items():
        yield from _event_rows(teae.filter(condition), persons, place.at(level))
    for term in ("soc", "pt"):
        yield from _term_rows(counted_terms(teae, term), persons, Place(f"teae.{term}", group))
    for kind in KINDS_BY_TERM:
        counted = counted_terms(teae.filter(KINDS[kind]), "pt")
        yield from _term_rows(counted, persons, Place(f"teae.pt.{kind}", group))
    common = counted_terms(teae, "pt").filter(pl.col("persons") * 100 >= rules.common_percent * persons)
    yield from _term_rows(common, persons, Place("teae.common", group))
    yield from _grade_rows(teae, persons, Place("teae.soc_grade", group))


def counted_terms(teae: pl.DataFrame, column: str) -> pl.DataFrame:
    """Each coded term with its numbers of persons and of events, by name."""
    coded = teae.filter(pl.col(column).is_not_null() & (pl.col(column) != ""))
    counted = coded.group_by(column).agg(
        pl.col("person_id").n_unique().alias("persons"),
        pl.struct("person_id", "resource_key").n_unique().alias("events"),
    )
    return counted.sort(column)


def _term_rows(counted: pl.DataFrame, persons: int, place: Place) -> Iterator[Row]:
    for level, with_event, events in counted.iter_rows():
        yield from place.at(level).persons(with_event, persons)
        yield place.at(level).count("events", events)


def _event_rows(events: pl.DataFrame, persons: int, place: Place) -> Iterator[Row]:
    yield from place.persons(events["person_id"].n_unique(), persons)
    yield place.count("events", events.select("person_id", "resource_key").n_unique())


def _grade_rows(teae: pl.DataFrame, persons: int, place: Place) -> Iterator[Row]:
    coded = teae.filter(pl.col("soc").is_not_null() & (pl.col("soc") != ""))
    worst = coded.group_by("soc", "person_id").agg(pl.col("grade").max())
    for soc in sorted(worst["soc"].unique()):
        grades = worst.filter(pl.col("soc") == soc)["grade"]
        for grade in GRADES:
            yield from place.at(f"{soc} grade {grade}").persons(int((grades == grade).sum()), persons)
        yield from place.at(f"{soc} {UNGRADED}").persons(grades.null_count(), persons)
