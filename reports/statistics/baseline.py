"""Baseline characteristics: numeric variables summarised, categories counted."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.groups import SEXES, require_levels
from reports.statistics.quantiles import summarise
from reports.statistics.rows import Place, Row
from studies.protocol import Protocol

UNKNOWN = "unknown"


def baseline_rows(cohort: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """The baseline of the treated persons in `cohort`; one that the protocol doesn't name has no row."""
    baseline = protocol.baseline
    yield from summary_rows(cohort["age"], Place("baseline.age", group))
    yield from level_rows(cohort["sex"], SEXES, Place("baseline.sex", group))
    if baseline.age_at_diagnosis:
        yield from summary_rows(cohort["age_at_diagnosis"], Place("baseline.age_at_diagnosis", group))
    if baseline.prior_regimens is not None:
        yield from summary_rows(cohort["prior_regimens"], Place("baseline.prior_regimens", group))
    if baseline.phenotype:
        levels = (*baseline.phenotype, UNKNOWN)
        yield from level_rows(cohort["phenotype"], levels, Place("baseline.phenotype", group))
    if baseline.refractory is not None:
        levels = ("yes", "no", "missing")
        yield from level_rows(cohort["refractory"], levels, Place("baseline.refractory", group))


def summary_rows(values: pl.Series, place: Place) -> Iterator[Row]:
    """The summary of a number a person; `n` counts those who have one, `missing` those who don't."""
    # Sorted, because a sum of doubles depends on their order.
    summary = summarise(values.cast(pl.Float64).sort())
    yield place.count("n", summary.n)
    yield place.count("missing", summary.missing)
    yield place.number("median", summary.median, 1)
    yield place.extreme("min", summary.min)
    yield place.extreme("max", summary.max)
    yield place.number("mean", summary.mean, 1)
    yield place.number("sd", summary.sd, 2)
    yield place.number("q1", summary.q1, 1)
    yield place.number("q3", summary.q3, 1)


def level_rows(values: pl.Series, levels: tuple[str, ...], place: Place) -> Iterator[Row]:
    """Counts and percentages of declared levels, 0 included. Raises IncompleteTable on another level."""
    require_levels(values, levels, place.analysis)
    for level in levels:
        yield from place.at(level).persons(int((values == level).sum()), len(values))
