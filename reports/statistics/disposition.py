"""Attrition and disposition: who was known, diagnosed and treated, and what became of the treated."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.rows import Place, Row
from studies.protocol import Protocol


def attrition_rows(attrition: pl.DataFrame, group: str) -> Iterator[Row]:
    """Counts of the steps, of known persons; each step is part of the one before."""
    place = Place("attrition", group)
    yield place.at("known").count("n", attrition.height)
    yield place.at("diagnosed").count("n", _true(attrition["is_diagnosed"]))
    yield place.at("treated").count("n", _true(attrition["is_treated"]))


def disposition_rows(cohort: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """Flags of treated persons, which overlap; a flag whose source the protocol doesn't name has no row."""
    place = Place("disposition", group)
    for level, count in _flags(cohort, protocol).items():
        yield from place.at(level).persons(count, cohort.height)


def _flags(cohort: pl.DataFrame, protocol: Protocol) -> dict[str, int]:
    flags = {"treated": cohort.height}
    if protocol.baseline.completed_follow_up is not None:
        flags["completed_follow_up"] = _true(cohort["completed_follow_up"])
    if protocol.survival_by is not None:
        flags[protocol.survival_by.event] = _true(cohort["has_comparing_event"])
    flags["died"] = _true(cohort["is_dead"])
    if protocol.exposure.combination is not None:
        flags["new_therapy"] = cohort["new_therapy_on"].len() - cohort["new_therapy_on"].null_count()
    return flags


def _true(flags: pl.Series) -> int:
    return int(flags.cast(pl.Boolean).sum())
