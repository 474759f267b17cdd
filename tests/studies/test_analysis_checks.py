"""Names that stand for two things in results.csv, and survival by an event: the one line that each mistake gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.reading import StudyError, load_study
from tests.studies.test_reading import change, error, folder

__all__ = ["folder"]

ENDPOINT = "  event_free_survival:\n    label: Event-free survival\n"
SURVIVAL_BY = "survival_by: {event: hsct, landmarks"


@pytest.mark.parametrize(
    "name", ["death", "follow_up", "response", "decision", "remission_incidence", "survival_by_hsct"]
)
def test_an_endpoint_has_a_name_of_its_own(folder: Path, name: str) -> None:
    change(folder, ENDPOINT, f"  {name}: {{paramcd: X, start: index, events: [death]}}\n{ENDPOINT}")
    assert f"endpoints.{name}: an analysis has this name, or begins with it; choose another" in error(folder)


def test_a_paramcd_is_of_one_endpoint(folder: Path) -> None:
    change(folder, "    paramcd: EFS\n", "    paramcd: OS\n")
    assert 'endpoints.event_free_survival.paramcd: "OS" stands here twice; rename one' in error(folder)


@pytest.mark.parametrize("name", ["index", "death", "last_contact"])
def test_survival_is_by_an_event_that_comes_to_some(folder: Path, name: str) -> None:
    change(folder, SURVIVAL_BY, f"survival_by: {{event: {name}, landmarks")
    with pytest.raises(StudyError) as caught:
        load_study(str(folder))
    assert any(
        "survival_by.event: nobody lives on after it, or all have it" in e for e in caught.value.errors
    )


@pytest.mark.parametrize("name", ["all", "site", "without_site", "treated", "died", "completed_follow_up"])
def test_survival_is_by_an_event_whose_name_is_no_group_or_flag(folder: Path, name: str) -> None:
    change(folder, SURVIVAL_BY, f"survival_by: {{event: {name}, landmarks")
    change(
        folder,
        "  hsct: {from: procedure",
        f"  {name}: {{from: procedure, codelist: hsct}}\n  hsct: {{from: procedure",
    )
    with pytest.raises(StudyError) as caught:
        load_study(str(folder))
    assert any(
        "survival_by.event: a group or a flag of this name is there already" in e for e in caught.value.errors
    )


@pytest.mark.parametrize(
    "rule",
    [
        "    population: responders\n",
        "    exclude_prevalent: true\n",
        "    label: X\n    population: responders\n",
    ],
)
def test_survival_by_an_event_needs_the_survival_of_everybody(folder: Path, rule: str) -> None:
    change(folder, "    paramcd: OS\n", f"    paramcd: OS\n{rule}")
    assert "survival_by: needs overall_survival of everybody treated, from the index date; change" in error(
        folder
    )


def test_survival_by_an_event_needs_an_overall_survival(folder: Path) -> None:
    change(folder, "  overall_survival:\n    paramcd", "  survival:\n    paramcd")
    with pytest.raises(StudyError) as caught:
        load_study(str(folder))
    assert any("survival_by: is of `endpoints.overall_survival`; add that" in e for e in caught.value.errors)


def test_a_variation_keeps_the_survival_that_survival_by_needs(folder: Path) -> None:
    change(
        folder,
        "  dates_first:\n",
        "  x:\n    reason: Why.\n    analyses: [follow_up]\n"
        "    change: {endpoints.overall_survival.population: responders}\n  dates_first:\n",
    )
    assert "sensitivity.x: with its changes survival_by: needs overall_survival of everybody" in error(folder)


def test_a_subgroup_is_not_named_as_the_groups_that_leave_out_a_site(folder: Path) -> None:
    change(folder, "subgroups: {}\n", "subgroups: {without_site: {variable: sex}}\n")
    assert "subgroups.without_site: a group of this name is there already" in error(folder)
