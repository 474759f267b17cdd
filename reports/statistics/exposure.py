"""Exposure to the index drugs: evidence, regimen, doses, cycles and days."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.baseline import level_rows
from reports.statistics.quantiles import summarise
from reports.statistics.rows import Place, Row
from studies.protocol import Protocol

REGIMENS = ("combination", "monotherapy")


def exposure_rows(cohort: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """The exposure of the treated persons in `cohort`; the days of exposure count the first and the last."""
    evidence = tuple(protocol.population.index_drug.evidence)
    yield from level_rows(cohort["evidence_level"], evidence, Place("exposure.evidence", group))
    if protocol.exposure.combination is not None:
        yield from level_rows(cohort["regimen"], REGIMENS, Place("exposure.regimen", group))
    yield from _spread_rows(cohort["doses"], Place("exposure.doses", group))
    if protocol.exposure.cycle_gap_days is not None:
        yield from _spread_rows(cohort["cycles"], Place("exposure.cycles", group))
    yield from _spread_rows(cohort["exposure_days"], Place("exposure.days", group))


def _spread_rows(values: pl.Series, place: Place) -> Iterator[Row]:
    summary = summarise(values.cast(pl.Float64).sort())
    yield place.number("median", summary.median, 1)
    yield place.extreme("min", summary.min)
    yield place.extreme("max", summary.max)
