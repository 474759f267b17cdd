"""Control patients from their records: who they are, their index date, and the rows that compare them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite

import polars as pl
import pytest

from flows.tracing import Question, sources_of
from reports.statistics.control_rows import control_rows
from reports.statistics.rows import Row, results_frame
from sql.build_study import build_study
from sql.control import TABLES, build_control
from studies.codelists import Codelist, CodelistRow
from studies.protocol import Control
from tests.sql.drawn_study import History, on

RULES = Control(
    codelist="other_drug",
    covariates=["age", "sex", "prior_regimens"],
    outcomes=["response.remission", "overall_survival"],
    missing="complete_cases",
    trim=0.05,
    replicates=100,
    seed=1,
)
STUDY, CONTROLS = {"s00", "s01", "s02", "c04"}, {"c03", "c05"}
Frames = dict[str, pl.DataFrame]
Key = tuple[str, str, str, str]


def history_of(study: int, controls: int, rules: Control = RULES) -> History:
    """Persons with the index drug and with the other one; every third is in remission, every fourth dies."""
    history = History().under(control=rules)
    drug = Codelist("other_drug", (CodelistRow("urn:x", "o", "other", "other"),))
    history.rules = replace(history.rules, codelists={**history.rules.codelists, "other_drug": drug})
    for number in range(study + controls):
        name = f"{'s' if number < study else 'c'}{number:02d}"
        born, sex = f"{2001 + number * 7 % 13}-06-15", "male" if number % 2 else "female"
        history.draw("person", name, birth=born, sex=sex)
        history.draw("diagnosis", name, codelist="diagnosis", onset="2019-11-01")
        history.draw("contact", name, starts_on=on(300 + number))
        if number < study:
            history.dose(0, name)
        else:
            history.dose(5, name, codelist="other_drug", concept="other")
        if number != 2:
            history.value("prior_regimens", -1, 2 + number * 5 % 3, name)
        if number % 3 == 0:
            history.remission(40, name)
        if number % 4 == 0:
            history.death(100 + 3 * number, name)
    return history


def frames_of(history: History) -> Frames:
    """The tables of both groups, as a report reads them."""
    build_study(history.con, history.rules)
    build_control(history.con, history.rules)
    frames: Frames = {}
    for name in TABLES:
        frames[name] = history.con.sql(f'from "clofarabine"."{name}"').pl()
        kept = history.rows(
            "select 1 from duckdb_tables() where schema_name = 'clofarabine.control' "
            f"and table_name = '{name}'"
        )
        schema = "clofarabine.control" if kept else "clofarabine"
        frames[f"control_{name}"] = history.con.sql(f'from "{schema}"."{name}"').pl()
    return frames


def by_key(rows: Iterator[Row]) -> dict[Key, Row]:
    made = list(rows)
    results_frame(made)  # no place has two rows
    return {(row.analysis, row.level, row.statistic, row.method): row for row in made}


def test_a_control_begins_at_its_own_drug_and_never_had_the_index_drug() -> None:
    history = history_of(3, 3)
    history.dose(60, "c04")  # a control that later had the index drug
    frames = frames_of(history)
    cohort = frames["control_cohort"]
    assert dict(cohort["person_id", "index_date"].rows()) == {n: on(5) for n in ("c03", "c04", "c05")}
    rows = by_key(control_rows(frames, RULES, map))
    assert rows["control.persons", "study", "n", ""].value == 4
    assert rows["control.persons", "control", "n", ""].value == 2


def test_both_groups_are_counted_weighted_and_compared() -> None:
    rows = by_key(control_rows(frames_of(history_of(24, 24)), RULES, map))
    assert rows["control.persons", "study", "n", ""].value == 24
    # Person 2 has no prior regimens, and is left out.
    assert rows["control.persons", "study", "analysed", ""].value == 23
    assert rows["control.missing", "prior_regimens", "study", ""].value == 1
    remission = "control.response.remission"
    # Numbers 0, 3, … 21 of the 23, and 24, 27, … 45 of the 24, are in remission.
    assert rows[remission, "unweighted", "difference", ""].value == pytest.approx(100 * (8 / 23 - 8 / 24))
    assert rows["control.overall_survival", "unweighted", "events", ""].value == 12
    assert rows["control.weights", "study", "effective_n", "unweighted"].value == pytest.approx(23)
    assert rows["control.balance", "age", "smd", "overlap"].value == pytest.approx(0, abs=1e-9)
    low, high = (rows[remission, "overlap", s, "bootstrap"].value for s in ("ci_low", "ci_high"))
    difference = rows[remission, "overlap", "difference", ""].value
    assert low is not None and high is not None and difference is not None
    assert low < difference < high
    assert all(row.value is None or isfinite(row.value) for row in rows.values())


@pytest.mark.parametrize(
    ("analysis", "level", "statistic", "persons"),
    [
        ("control.persons", "study", "n", STUDY),
        ("control.persons", "control", "n", CONTROLS),
        ("control.weights", "control", "effective_n", CONTROLS),
        ("control.missing", "age", "control", CONTROLS),
        ("control.balance", "age", "study", STUDY),
        ("control.balance", "age", "smd", STUDY | CONTROLS),
        ("control.overall_survival", "unweighted", "events", {"s00", "c04"}),
        ("control.overall_survival", "overlap", "hr", STUDY | CONTROLS),
        ("control.response.remission", "unweighted", "control", CONTROLS),
    ],
)
def test_a_number_of_the_comparison_leads_back_to_its_persons(
    analysis: str, level: str, statistic: str, persons: set[str]
) -> None:
    history = history_of(3, 3)
    history.dose(60, "c04")  # a control that later had the index drug
    frames_of(history)
    found = sources_of(history.con, "clofarabine", Question(analysis, statistic, "all", level))
    assert {person for person, *_ in found} == persons
    assert all(resource is not None for _, _, resource, *_ in found)


def test_a_missing_number_may_be_a_category_of_its_own() -> None:
    rules = RULES.model_copy(update={"missing": "category"})
    rows = by_key(control_rows(frames_of(history_of(12, 12, rules)), rules, map))
    assert rows["control.persons", "study", "analysed", ""].value == 12
    assert rows["control.balance", "prior_regimens: missing", "study", "unweighted"].value == pytest.approx(
        1 / 12
    )


def test_the_order_of_rows_changes_nothing() -> None:
    frames = frames_of(history_of(10, 10))
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in frames.items()}
    assert list(control_rows(shuffled, RULES, map)) == list(control_rows(frames, RULES, map))


@pytest.mark.parametrize(("study", "controls"), [(0, 0), (4, 0), (0, 4), (6, 1), (1, 1)])
def test_too_few_persons_give_reasons_instead_of_numbers(study: int, controls: int) -> None:
    rows = by_key(control_rows(frames_of(history_of(study, controls)), RULES, map))
    assert all(row.value is None or isfinite(row.value) for row in rows.values())
    told = rows["control.response.remission", "overlap", "difference", ""]
    assert told.value is None and told.text.startswith("not estimable (")
