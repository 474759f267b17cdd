"""Every row that the contract of results.csv asks for is there, and parts that are off print none."""

from __future__ import annotations

import polars as pl
import pytest

from reports.statistics.results import estimate_results
from reports.statistics.rows import KEY
from studies.protocol import Subgroup
from studies.reading import load_study
from tests.statistics_results.asked_rows import Asked, asked_of_all, asked_of_groups, asked_of_sites
from tests.statistics_results.drawn_study import drawn_frames, empty_frames, reference_protocol

FURTHER_BEGIN = (
    "survival_by_hsct.simon_makuch", "cause_specific.", "gray.", "rate.", "lab.shift", "teae.pt.",
    "teae.common", "teae.soc_grade",
)  # fmt: skip
FURTHER = {"sensitivity.evaluable", "quality.quarantine", "quality.finding", "quality.unit"}


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    return estimate_results(drawn_frames(), reference_protocol())


def rows_of(results: pl.DataFrame, group: str) -> set[Asked]:
    chosen = results.filter(pl.col("group") == group)
    return set(chosen.select("analysis", "level", "statistic", "method").rows())


def is_further(row: Asked) -> bool:
    """Rows that the contract allows beside its own."""
    analysis, level, statistic, method = row
    of_incidence = analysis.endswith("_incidence") and statistic != "incidence"
    is_beside = statistic.startswith("warning_") or of_incidence or method == "firth" or level == "diagnosis"
    return analysis in FURTHER or is_beside or analysis.startswith(FURTHER_BEGIN)


def test_all_has_every_row_asked_for_and_no_unexpected_one(results: pl.DataFrame) -> None:
    asked = asked_of_all(("Infections", "Cardiac"), ("Sepsis", "Mycosis", "Arrest"))
    found = rows_of(results, "all")
    assert asked - found == set()
    assert {row for row in found - asked if not is_further(row)} == set()


@pytest.mark.parametrize("group", ["hsct=yes", "hsct=no"])
def test_groups_by_hsct_have_the_rows_of_groups(results: pl.DataFrame, group: str) -> None:
    assert rows_of(results, group) == asked_of_groups()


@pytest.mark.parametrize("site", ["north", "south", "west"])
def test_each_site_has_attrition_and_resources_too(results: pl.DataFrame, site: str) -> None:
    found = {row for row in rows_of(results, f"site={site}") if not is_further(row)}
    assert found == asked_of_groups() | asked_of_sites()


def test_there_are_no_other_groups(results: pl.DataFrame) -> None:
    expected = {"all", "site=north", "site=south", "site=west", "hsct=yes", "hsct=no"}
    # One left out at a time, by the sensitivity analysis that says so.
    assert set(results["group"]) == expected | {f"without_site={site}" for site in ("north", "south", "west")}


def test_population_is_treated_but_for_what_begins_with_the_remission_or_ends_in_it(
    results: pl.DataFrame,
) -> None:
    responders = results.filter(pl.col("population") == "responders")
    varied = set(responders.filter(pl.col("analysis").str.starts_with("sensitivity."))["analysis"])
    assert varied == {"sensitivity.without_site.duration_of_remission"}
    assert set(responders["analysis"]) - varied == {
        "time_to_remission", "duration_of_remission", "duration_of_remission.at_hsct",
        "duration_of_remission.at_new_therapy", "relapse_incidence", "death_without_relapse_incidence",
        "gray.relapse_by_hsct", "cause_specific.relapse_by_hsct", "cause_specific.relapse_by_hsct.competing",
    }  # fmt: skip
    assert set(results["population"]) == {"treated", "responders"}


def test_rows_are_sorted_and_identified_by_their_key(results: pl.DataFrame) -> None:
    keys = results.select(KEY).rows()
    assert keys == sorted(set(keys))


def test_protocol_subgroups_have_the_rows_of_groups_with_each_declared_level() -> None:
    protocol = reference_protocol().model_copy(update={"subgroups": {"sex": Subgroup(variable="sex")}})
    frames = drawn_frames()
    frames["subgroup"] = pl.concat(
        [
            frames["subgroup"],
            frames["cohort"].select(
                "person_id", pl.lit("sex").alias("variable"), pl.col("sex").alias("level")
            ),
        ]
    )
    results = estimate_results(frames, protocol)
    for level in ("male", "female", "other", "unknown"):
        assert rows_of(results, f"sex={level}") == asked_of_groups()


def test_a_study_without_response_or_safety_prints_none_of_their_rows() -> None:
    frames = empty_frames()
    for name in ("response", "time_dependent", "teae", "lab_grade"):
        del frames[name]
    results = estimate_results(frames, load_study("mimic_vancomycin").protocol)
    assert set(results["analysis"]) == {
        "attrition", "baseline.age", "baseline.sex", "death", "disposition", "exposure.days",
        "exposure.doses", "exposure.evidence", "follow_up", "overall_survival", "quality.contradictory_dates",
        "quality.imputed_dates", "quality.resources", "ventilation_incidence",
    }  # fmt: skip
    levels = {a: set(results.filter(pl.col("analysis") == a)["level"]) for a in set(results["analysis"])}
    assert levels["ventilation_incidence"] == {"", "week_1", "week_2", "week_4"}
    assert levels["death"] == {"all", "within_30_days", "later"}
    assert levels["disposition"] == {"treated", "died"}
    assert levels["exposure.evidence"] == {"administered"}
    assert levels["overall_survival"] == {"", *(f"week_{week}" for week in (1, 2, 4, 8, 12, 26, 52))}
