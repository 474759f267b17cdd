"""Deaths: all, those due to a treatment-emergent event, and one class each by when they came."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.cautions import DEATH_BEFORE_TREATMENT, caution_row
from reports.statistics.groups import require_levels
from reports.statistics.rows import Place, Row
from studies.protocol import Protocol


def death_rows(cohort: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """Deaths of the treated persons in `cohort`, in percent of them; the classes add up to `all`."""
    dead = cohort.filter(pl.col("is_dead"))
    place = Place("death", group)
    yield from place.at("all").persons(dead.height, cohort.height)
    if protocol.safety is not None:
        due = int(dead["is_death_due_to_teae"].sum())
        yield from place.at("due_to_teae").persons(due, cohort.height)
    classes = death_classes(protocol)
    require_levels(dead["death_class"], classes, "the class of deaths")
    for name in classes:
        yield from place.at(name).persons(int((dead["death_class"] == name).sum()), cohort.height)


def contradicted_death_rows(contradictory: pl.DataFrame, protocol: Protocol, group: str) -> Iterator[Row]:
    """The caution beside deaths and survival where a person died before the first dose, as recorded."""
    if "death_before_treatment" not in contradictory["kind"]:
        return
    yield caution_row(Place("death", group, level="all"), DEATH_BEFORE_TREATMENT)
    if "overall_survival" in protocol.endpoints:
        yield caution_row(Place("overall_survival", group), DEATH_BEFORE_TREATMENT)


def death_classes(protocol: Protocol) -> tuple[str, ...]:
    """The classes: within the protocol's days of the last dose, later, and after its event, if any."""
    deaths = protocol.deaths
    early = (f"within_{deaths.early_days}_days", "later")
    return early if deaths.after_event is None else (*early, f"after_{deaths.after_event}")
