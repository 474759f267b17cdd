"""Studies with nobody, one person, empty subgroups, or all dead on day 0: empty values and their reason, never NaN."""

from __future__ import annotations

import csv
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studies.reading import STUDIES
from tests.hospitals.builder import (
    ETOPOSIDE,
    Resource,
    complete,
    given,
    item,
    leukaemia,
    marrow,
    person,
    reaction,
    transfusion,
    transplant,
    treated,
    visit,
    write,
)

pytestmark = pytest.mark.slow

NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
NO_NUMBER = re.compile(r"-?(nan|inf|none|null)")
COVE = Path(sys.executable).with_name("cove")
SUBGROUPS = """
subgroups:
  sex: {variable: sex}
  age_group: {variable: age, cuts: [2, 12]}
  drug_evidence: {variable: evidence_level}
"""
THRESHOLDS = """
    - name: deaths
      analysis: death
      level: all
      at_most: 40
      refund: {kind: tiered, currency: KRW, spend: 100, tiers: [{shortfall_at_least: 0, share_percent: 10}]}
"""

STUDIES_OF: dict[str, list[Resource]] = {
    "nobody_is_treated": [*person("p", leukaemia()), *person("q", given(drug="L01CB01"))],
    "one_is_treated": treated("p", complete(30), visit(60)),
    "one_without_anything_else": treated("p"),
    "all_are_dead_on_day_0": [
        *treated("p", reaction(0), deceasedDateTime="2020-03-01"),
        *treated("q", marrow(0, 60), deceasedDateTime="2020-03-01"),
        *treated("r", transplant(0), deceasedDateTime="2020-03-01T12:00:00+09:00"),
    ],
    "all_are_in_remission_and_alive": [
        one for name in "pqr" for one in treated(name, complete(30), visit(200))
    ],
}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The reference study with subgroups, of which some have nobody, and a most of deaths."""
    folder = Path(shutil.copytree(STUDIES / "clofarabine", tmp_path / "study"))
    protocol = folder / "protocol.yaml"
    text = protocol.read_text(encoding="utf-8")
    assert text.count("subgroups: {}\n") == 1
    assert text.count("  thresholds:\n") == 1
    text = text.replace("subgroups: {}\n", SUBGROUPS)
    protocol.write_text(text.replace("  thresholds:\n", f"  thresholds:{THRESHOLDS}"), encoding="utf-8")
    return folder


def cove_run(study: Path, resources: list[Resource]) -> Path:
    """Runs the study on one hospital, by the command; the report's folder."""
    folder = study.parent
    write(folder / "files" / "a", {"all.ndjson": resources})
    command = [
        COVE,
        "run",
        study,
        "--files",
        folder / "files",
        "--home",
        folder / "home",
        "--out",
        folder / "out",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "out"


CONTROL = """
control:
  codelist: antileukaemic
  covariates: [age, marrow_blasts]
  outcomes: [response.remission]
  missing: complete_cases
  trim: 0.05
  replicates: 100
  seed: 1
"""


def test_a_value_that_no_double_can_square_is_reported_and_ends_no_run(study: Path) -> None:
    protocol = study / "protocol.yaml"
    protocol.write_text(protocol.read_text(encoding="utf-8") + CONTROL, encoding="utf-8")
    regimens = item(-1, "prior-regimens", valueQuantity={"value": 1e308})
    persons = [
        *treated("p", regimens, marrow(-1, 1e308)),
        *treated("q", regimens, marrow(-1, 60)),
        *(
            one
            for name in "rs"
            for one in person(name, leukaemia(), given(drug=ETOPOSIDE), marrow(-1, 1e308))
        ),
    ]
    rows = rows_of(cove_run(study, persons))
    assert all(math.isfinite(float(row["value"])) for row in rows if row["value"])
    found = {
        (row["analysis"], row["level"], row["statistic"]): (row["value"], row["text"])
        for row in rows
        if row["group"] == "all"
    }
    assert found["baseline.prior_regimens", "", "max"] == ("1e+308", "1.0e+308")
    assert found["baseline.prior_regimens", "", "sd"] == ("", "-")
    assert found["control.missing", "marrow_blasts", "study"][0] == "1"
    assert found["control.missing", "marrow_blasts", "control"][0] == "2"


def test_a_variation_may_name_a_codelist_of_its_own(study: Path) -> None:
    protocol = study / "protocol.yaml"
    before, after = protocol.read_text(encoding="utf-8").split("\nsensitivity:")
    variation = (
        "  x:\n    reason: Why.\n    analyses: [event_free_survival]\n"
        "    change:\n      events.relapse: {from: procedure, codelist: transfusion}\n"
    )
    head, rest = after.split("\n", 1)
    protocol.write_text(f"{before}\nsensitivity:{head}\n{variation}{rest}", encoding="utf-8")
    shutil.copy(study / "codelists/platelet_transfusion.csv", study / "codelists/transfusion.csv")
    rows = rows_of(cove_run(study, treated("p", complete(30), transfusion(40), visit(200))))
    found = {(row["analysis"], row["statistic"]): row["value"] for row in rows if row["level"] == ""}
    assert found["event_free_survival", "events"] == "0"
    assert found["sensitivity.x", "events"] == "1"
    # Weeks of 7 days: the transfusion of day 40.
    assert float(found["sensitivity.x", "max"]) == pytest.approx(40 / 7)


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", STUDIES_OF)
def test_no_number_of_the_report_is_nan_or_infinite(study: Path, name: str) -> None:
    out = cove_run(study, STUDIES_OF[name])
    for row in rows_of(out):
        assert row["value"] == "" or NUMBER.fullmatch(row["value"]), row
        assert row["text"] and not NO_NUMBER.fullmatch(row["text"].lower()), row
        is_told = row["text"] in ("-", "not reached", "no upper limit") or "not estimable (" in row["text"]
        assert row["value"] or is_told or row["statistic"].startswith("warning_"), row
    page = (out / "report.html").read_text(encoding="utf-8")
    assert not re.search(r">\s*-?(nan|inf|None)\s*<", page)


def test_a_subgroup_without_persons_has_n_0_and_empty_values(study: Path) -> None:
    rows = rows_of(cove_run(study, STUDIES_OF["one_is_treated"]))
    found = {
        (row["group"], row["statistic"], row["method"]): row["value"]
        for row in rows
        if row["analysis"] == "response.remission"
    }
    groups = {group for group, *_ in found if not group.startswith(("site=", "hsct="))}
    assert groups == {
        "all", "sex=male", "sex=female", "sex=other", "sex=unknown",
        "age_group=<2", "age_group=2-<12", "age_group=>=12",
        "drug_evidence=administered", "drug_evidence=dispensed", "drug_evidence=stated", "drug_evidence=ordered",
    }  # fmt: skip
    for group in groups:
        has_person = group in ("all", "sex=male", "age_group=2-<12", "drug_evidence=administered")
        assert found[group, "denominator", ""] == ("1" if has_person else "0")
        assert bool(found[group, "percent", "wald"]) == has_person


def test_without_a_treated_person_nothing_is_decided(study: Path) -> None:
    rows = rows_of(cove_run(study, STUDIES_OF["nobody_is_treated"]))
    decided = {
        (row["level"], row["statistic"]): row["value"] for row in rows if row["analysis"] == "decision"
    }
    for level in ("remission", "deaths"):
        assert {decided[level, name] for name in ("value", "bound", "p", "met", "responders_short")} == {""}
    assert decided["deaths", "refund"] == ""
    assert {row["value"] for row in rows if row["statistic"] == "n" and row["level"] == "treated"} == {"0"}


def test_of_all_dead_on_day_0_survival_is_0_and_deaths_are_refunded(study: Path) -> None:
    rows = rows_of(cove_run(study, STUDIES_OF["all_are_dead_on_day_0"]))
    key = ("analysis", "group", "level", "statistic")
    values = {tuple(row[name] for name in key): row["value"] for row in rows}
    assert values["overall_survival", "all", "", "events"] == "3"
    assert values["overall_survival", "all", "", "median"] == "0"
    assert values["overall_survival", "all", "week_4", "survival"] == ""
    # 3 of 3 are 60 points beyond 40 percent: the tier of a tenth of 100.
    assert values["decision", "all", "deaths", "met"] == "0"
    assert values["decision", "all", "deaths", "refund"] == "10"
