"""Accounting of the resources received, of imputed dates, and of dates that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.rows import Place, Row
from studies.protocol import Protocol

FATES = ("landed", "mapped", "quarantined", "superseded", "not_asked_for")


def resource_rows(resources: pl.DataFrame, group: str) -> Iterator[Row]:
    """What became of the resources landed; `resources` has one row a file."""
    place = Place("quality.resources", group)
    for fate in FATES:
        yield place.at(fate).count("n", int(resources[fate].sum()))


def pull_rows(pulls: pl.DataFrame, group: str) -> Iterator[Row]:
    """How many sites were pulled from, and how many of them are stale; nothing where none was.

    `pulls` has one row a site; stale is one whose newest pull isn't complete.
    """
    if pulls.is_empty():
        return
    place = Place("quality.pull", group)
    yield place.at("pulled").count("n", len(pulls))
    yield place.at("stale").count("n", int(pulls["is_stale"].sum()))


def rule_rows(broken: pl.DataFrame, analysis: str, group: str) -> Iterator[Row]:
    """How many resources break each rule; `broken` has one row a resource and rule."""
    for rule, count in broken.group_by("rule").len().sort("rule").iter_rows():
        yield Place(analysis, group, level=rule).count("n", count)


def left_out_rows(left_out: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """How many resources the study doesn't use, by each rule that the protocol calls fatal."""
    for rule in protocol.quality.fatal_rules:
        broken = left_out.filter(pl.col("fatal_rule") == rule)
        resources = broken.select("site", "resource_key").n_unique()
        yield Place("quality.left_out", group, level=rule).count("n", resources)


def unit_rows(units: pl.DataFrame, group: str) -> Iterator[Row]:
    """How many values of each codelist are in a unit, as written, that doesn't convert; they aren't used.

    `units` has one row a site, codelist and unit, with its `measurements`, and the unit to be shown as `written`.
    """
    level = pl.concat_str("codelist", pl.lit(": "), "written").alias("level")
    counted = units.group_by(level).agg(pl.col("measurements").sum()).sort("level")
    for name, count in counted.iter_rows():
        yield Place("quality.unit", group, level=name).count("n", count)


def imputed_date_rows(imputed: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """Treated persons with an imputed date, by kind; one beyond the declared kinds has its row too."""
    place = Place("quality.imputed_dates", group)
    declared = imputed_kinds(protocol)
    for kind in [*declared, *sorted(set(imputed["kind"]) - set(declared))]:
        persons = imputed.filter(pl.col("kind") == kind)["person_id"].n_unique()
        yield place.at(kind).count("n", persons)


def imputed_kinds(protocol: Protocol) -> tuple[str, ...]:
    """The dates that may be partial and that the protocol needs."""
    kinds = ["birth", "death"]
    if protocol.population.diagnosis is not None:
        kinds.append("diagnosis")
    if protocol.safety is not None:
        kinds.append("teae_onset")
    return tuple(kinds)


def contradictory_date_rows(contradictory: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """Treated persons with two dates that can't both be right, by kind; `contradictory` has a row a person and kind."""
    for kind in contradictory_kinds(protocol):
        persons = contradictory.filter(pl.col("kind") == kind)["person_id"].n_unique()
        yield Place("quality.contradictory_dates", group, level=kind).count("n", persons)


def contradictory_kinds(protocol: Protocol) -> tuple[str, ...]:
    """The kinds that can touch a number of the protocol."""
    diagnosis = ("birth_after_diagnosis",) if protocol.population.diagnosis is not None else ()
    return ("birth_after_treatment", *diagnosis, "death_before_treatment", "record_after_death")
