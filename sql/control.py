"""Builds a study's tables once more for its control patients: with the control's drug in the index drug's place."""

from __future__ import annotations

from datetime import date

import duckdb

from sql.event_rules import times_to_event
from sql.runner import ModelBuild
from sql.variations import build_under
from studies.reading import Study
from studies.variations import control_protocol, variation_schema
from studies.varied_analyses import Sources

CONTROL = "control"
# What the comparison is made from.
TABLES = ("baseline", "cohort", "endpoint", "response")
# What leads its numbers back to their sources beside.
SOURCES = ("treated", "doses", "assessment_source", "rated_assessment")


def build_control(
    con: duckdb.DuckDBPyConnection, study: Study, data_cutoff: date | None = None
) -> list[ModelBuild]:
    """Replaces the schema `<study>.control` with the tables that differ from the study's; nothing without controls.

    Its `treated` are the persons with a dose of the control's drug; who also had the index drug is among them, and is
    left out where they are compared. Needs the study's schema, built with the same `data_cutoff`.
    """
    if study.protocol.control is None:
        return []
    schema = variation_schema(study.protocol.id, CONTROL)
    protocol = control_protocol(study.protocol)
    wanted = Sources(frozenset({*TABLES, *SOURCES}), frozenset(times_to_event(protocol)))
    return build_under(con, study, protocol, schema, wanted, data_cutoff)
