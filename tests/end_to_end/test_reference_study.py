"""The demo gives the published figures of the reference study: Choi et al. 2021, doi 10.4143/crt.2020.289."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest

from flows.tracing import Question, sources_of
from tests.end_to_end.demo_in_r import statistics_in_r
from tests.statistics.agreement_with_r import agree, needs_r

COVE = Path(sys.executable).with_name("cove")

# analysis, group, level, statistic, method → the figure as published.
PUBLISHED = {
    ("attrition", "all", "treated", "n", ""): 60,
    ("baseline.age", "all", "", "median", ""): 12.0,
    ("baseline.age", "all", "", "min", ""): 2,
    ("baseline.age", "all", "", "max", ""): 26,
    ("baseline.age", "hsct=yes", "", "median", ""): 12.0,
    ("baseline.age", "hsct=yes", "", "min", ""): 5,
    ("baseline.age", "hsct=yes", "", "max", ""): 25,
    ("baseline.age", "hsct=no", "", "median", ""): 12.0,
    ("baseline.age", "hsct=no", "", "min", ""): 2,
    ("baseline.age", "hsct=no", "", "max", ""): 26,
    ("baseline.sex", "all", "male", "n", ""): 37,
    ("baseline.sex", "hsct=yes", "male", "n", ""): 7,
    ("baseline.sex", "hsct=no", "male", "n", ""): 30,
    ("baseline.phenotype", "all", "B-cell", "n", ""): 39,
    ("baseline.refractory", "all", "yes", "n", ""): 41,
    ("exposure.regimen", "all", "combination", "n", ""): 58,
    ("disposition", "all", "completed_follow_up", "n", ""): 26,
    ("response.best", "all", "CR", "n", ""): 11,
    ("response.best", "all", "CRp", "n", ""): 16,
    ("response.best", "all", "PR", "n", ""): 1,
    ("response.remission", "all", "", "n", ""): 27,
    ("response.remission", "all", "", "denominator", ""): 60,
    ("response.overall", "all", "", "n", ""): 28,
    ("disposition", "all", "hsct", "n", ""): 16,
    ("death", "all", "all", "n", ""): 24,
    ("death", "all", "due_to_teae", "n", ""): 14,
}
# The same, where the paper prints one decimal.
PRINTED = {
    ("baseline.sex", "all", "male", "percent", ""): "61.7",
    ("baseline.refractory", "all", "yes", "percent", ""): "68.3",
    ("exposure.regimen", "all", "combination", "percent", ""): "96.7",
    ("disposition", "all", "completed_follow_up", "percent", ""): "43.3",
    ("response.best", "all", "CR", "percent", ""): "18.3",
    ("response.best", "all", "CRp", "percent", ""): "26.7",
    ("response.best", "all", "PR", "percent", ""): "1.7",
    ("response.remission", "all", "", "percent", "wald"): "45.0",
    ("response.remission", "all", "", "ci_low", "wald"): "32.4",
    ("response.remission", "all", "", "ci_high", "wald"): "57.6",
    ("response.overall", "all", "", "percent", "wald"): "46.7",
    ("response.overall", "all", "", "ci_low", "wald"): "34.0",
    ("response.overall", "all", "", "ci_high", "wald"): "59.3",
    ("disposition", "all", "hsct", "percent", ""): "26.7",
    ("time_to_remission", "all", "", "median", "km log-log"): "5.1",
    ("time_to_remission", "all", "", "ci_low", "km log-log"): "4.7",
    ("time_to_remission", "all", "", "ci_high", "km log-log"): "6.1",
    ("duration_of_remission", "all", "", "median", "km log-log"): "16.6",
    ("duration_of_remission", "all", "", "raw_median", ""): "16.6",
    ("duration_of_remission", "all", "", "min", ""): "2.0",
    ("duration_of_remission", "all", "", "max", ""): "167.6",
}

# Counts of resources and sites, and of persons who are counted elsewhere by another name.
UNTRACED = (
    "quality.pull",
    "quality.resources",
    "quality.quarantine",
    "quality.finding",
    "sensitivity",
)

Rows = dict[tuple[str, str, str, str, str], dict[str, str]]


pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def rows(folder: Path) -> Rows:
    with (folder / "out" / "results.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["analysis"], row["group"], row["level"], row["statistic"], row["method"]): row
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("key", PUBLISHED, ids="|".join)
def test_a_count_is_as_published(rows: Rows, key: tuple[str, str, str, str, str]) -> None:
    assert float(rows[key]["value"]) == PUBLISHED[key]


@pytest.mark.parametrize("key", PRINTED, ids="|".join)
def test_a_figure_prints_as_published(rows: Rows, key: tuple[str, str, str, str, str]) -> None:
    assert rows[key]["text"] == PRINTED[key]


def test_all_had_two_or_more_prior_regimens(rows: Rows) -> None:
    place = ("baseline.prior_regimens", "all", "")
    assert float(rows[(*place, "min", "")]["value"]) >= 2
    assert rows[(*place, "missing", "")]["value"] == "0"


def test_somebody_leaves_at_each_step_of_the_attrition(rows: Rows) -> None:
    known, diagnosed, treated = (
        float(rows["attrition", "all", level, "n", ""]["value"])
        for level in ("known", "diagnosed", "treated")
    )
    assert known > diagnosed > treated


def test_every_resource_of_every_file_is_accounted_for(folder: Path) -> None:
    with duckdb.connect(str(folder / "home" / "warehouse.duckdb"), read_only=True) as warehouse:
        files = warehouse.execute(
            "select landed, mapped + quarantined + superseded + not_asked_for from quality.resources"
        ).fetchall()
    assert files
    assert all(landed == accounted for landed, accounted in files)


def test_the_report_says_that_its_data_are_simulated(folder: Path) -> None:
    assert "Simulated data" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_the_manifest_has_the_hash_of_every_other_file(folder: Path) -> None:
    out = folder / "out"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == files - {"manifest.json"}
    assert manifest["inputs"] and manifest["simulated"]


def test_traced_persons_are_as_many_as_the_number(folder: Path, rows: Rows) -> None:
    """Every count of persons in results.csv leads to as many persons, in every group."""
    with duckdb.connect(str(folder / "home" / "warehouse.duckdb"), read_only=True) as warehouse:
        contributions = warehouse.execute(
            "select distinct analysis, level, statistic, person_id, site from clofarabine.contribution"
        ).fetchall()
        subgroups = warehouse.execute(
            "select variable || '=' || level, person_id from clofarabine.subgroup"
        ).fetchall()
    members = defaultdict(set)
    for group, person in subgroups:
        members[group].add(person)
    traced = defaultdict(set)
    for analysis, level, statistic, person, site in contributions:
        traced[analysis, level, statistic].add((person, site))
    for (analysis, group, level, statistic, _), row in rows.items():
        if statistic != "n" or analysis.startswith(UNTRACED):
            continue
        if analysis.startswith("comparator.") and level == "control":
            continue  # a number of the protocol
        # One without a level stands behind every level of its analysis.
        keys = [(analysis, place, kind) for place in (level, None) for kind in ("n", "")]
        persons = set().union(*(traced[key] for key in keys))
        if group.startswith("site="):
            found = {person for person, site in persons if f"site={site}" == group}
        elif group == "all":
            found = {person for person, _ in persons}
        else:
            found = {person for person, _ in persons if person in members[group]}
        assert len(found) == float(row["value"]), (analysis, group, level)


def test_traced_persons_of_a_sensitivity_analysis_are_as_many_as_the_number(folder: Path, rows: Rows) -> None:
    """The persons and sources are those of the changed rules, and the groups leave a site out."""
    asked = [
        (key, float(row["value"]))
        for key, row in rows.items()
        if key[0].startswith("sensitivity.") and key[3] in ("n", "events", "denominator")
    ]
    assert {key[1] for key, _ in asked} > {"all"}
    with duckdb.connect(str(folder / "home" / "warehouse.duckdb"), read_only=True) as warehouse:
        for (analysis, group, level, statistic, _), value in asked:
            traced = sources_of(warehouse, "clofarabine", Question(analysis, statistic, group, level))
            assert len({person for person, *_ in traced}) == value, (analysis, group, statistic)


# Of these every estimate, limit and p must be R's: those of other analyses are counts, or a published control's.
OF_R = (
    "overall_survival", "event_free_survival", "time_to_remission", "duration_of_remission", "follow_up",
    "remission_incidence", "hsct_incidence", "relapse_incidence", "death_without_relapse_incidence",
    "survival_by_hsct", "gray.", "cause_specific.", "response.remission", "response.overall", "baseline.age",
    "baseline.prior_regimens", "response.agreement", "rate.",
)  # fmt: skip
ESTIMATED = {
    "median", "ci_low", "ci_high", "survival", "incidence", "hr", "p", "chi2", "percent", "mean", "sd", "q1", "q3",
    "observed_percent", "kappa", "rate",
}  # fmt: skip


@needs_r
def test_every_estimate_limit_and_p_of_the_cohort_is_rs(folder: Path, rows: Rows, tmp_path: Path) -> None:
    theirs = statistics_in_r(folder / "home" / "warehouse.duckdb", tmp_path)
    ours = {key: None if row["value"] == "" else float(row["value"]) for key, row in rows.items()}
    asked = {key for key in ours if key[0].startswith(OF_R) and key[3] in ESTIMATED}
    assert len(asked) > 700
    assert asked - set(theirs) == set()
    assert [(key, ours[key], value) for key, value in theirs.items() if not agree(ours[key], value)] == []


def test_a_number_is_traced_to_lines_as_received(folder: Path) -> None:
    asked = ["trace", "out", "--analysis", "response.remission", "--statistic", "n", "--show"]
    shown = subprocess.run([COVE, *asked], cwd=folder, check=True, capture_output=True, text=True).stdout
    assert "27 persons" in shown
    sources = [line.split() for line in shown.splitlines() if " file " in line]
    lines = [line.strip() for line in shown.splitlines() if line.startswith("    {")]
    assert len(sources) == len(lines) >= 27
    for source, line in zip(sources, lines, strict=True):
        resource = json.loads(line)
        assert resource["resourceType"] == source[1].split("/")[0]
