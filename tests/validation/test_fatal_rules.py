"""Rules that a protocol calls fatal: what breaks one isn't used by that study, and by others it is."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.execute import execute, request_of
from studies.reading import STUDIES, StudyError, load_study
from tests.hospitals.builder import (
    ATC,
    CLOFARABINE,
    concept,
    dispensed,
    given,
    leukaemia,
    patient,
    person,
    write,
)

pytestmark = pytest.mark.slow


def strict_study(root: Path, *rules: str, study: str = "strict") -> Path:
    """The reference study under another id, with these rules fatal."""
    folder = shutil.copytree(STUDIES / "clofarabine", root / study)
    path = folder / "protocol.yaml"
    text = path.read_text(encoding="utf-8").replace("id: clofarabine", f"id: {study}")
    path.write_text(f"{text.rstrip()}\n  fatal_rules: [{', '.join(rules)}]\n", encoding="utf-8")
    return folder


def run(root: Path, study: Path | str) -> Path:
    """Runs a study on the files of the folder; its report's folder."""
    out = root / f"out-{Path(study).name}"
    assert execute(request_of(str(study), home=root / "home", files=root / "files", out=out)).exit_code == 0
    return out


def ask(root: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "home" / "warehouse.duckdb"), read_only=True) as con:
        return con.execute(query).fetchall()


def counts(out: Path, analysis: str) -> dict[tuple[str, str], str]:
    """Group and level → n."""
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["group"], row["level"]): row["value"]
            for row in csv.DictReader(file)
            if row["analysis"] == analysis and row["statistic"] == "n"
        }


def hospitals() -> dict[str, list[dict[str, Any]]]:
    """Two persons of two doses each, at two sites; one dose of one is below zero."""
    less = {"dose": {"value": -1, "unit": "mg"}}
    return {
        "a/all.ndjson": person("wrong", leukaemia(), given(0, dosage=less), given(1)),
        "b/all.ndjson": person("right", leukaemia(), given(0), given(1)),
    }


def test_what_breaks_a_fatal_rule_is_left_out_of_that_study_only(tmp_path: Path) -> None:
    write(tmp_path / "files", hospitals())
    strict = run(tmp_path, strict_study(tmp_path, "dose:negative", "code:Patient.gender"))
    plain = run(tmp_path, "clofarabine")
    doses = "select resource_key from {}.doses order by all"
    assert ask(tmp_path, doses.format("strict")) == [
        ("MedicationAdministration/right-1",),
        ("MedicationAdministration/right-2",),
        ("MedicationAdministration/wrong-2",),
    ]
    assert ask(tmp_path, doses.format("clofarabine")) == [
        ("MedicationAdministration/right-1",),
        ("MedicationAdministration/right-2",),
        ("MedicationAdministration/wrong-1",),
        ("MedicationAdministration/wrong-2",),
    ]
    assert ask(tmp_path, "select site, line, resource_key, rule, fatal_rule from strict.left_out") == [
        ("a", 3, "MedicationAdministration/wrong-1", "dose:negative", "dose:negative")
    ]
    assert ask(tmp_path, "from clofarabine.left_out") == []
    # The first dose that is left is the index date.
    assert ask(tmp_path, "select index_date::varchar from strict.cohort order by all") == [
        ("2020-03-01",),
        ("2020-03-02",),
    ]
    assert counts(strict, "quality.left_out") == {
        ("all", "dose:negative"): "1",
        ("site=a", "dose:negative"): "1",
        ("site=b", "dose:negative"): "0",
        ("all", "code:Patient.gender"): "0",
        ("site=a", "code:Patient.gender"): "0",
        ("site=b", "code:Patient.gender"): "0",
    }
    assert counts(plain, "quality.left_out") == {}
    assert counts(plain, "quality.finding") == counts(strict, "quality.finding")


def test_the_report_says_which_rules_are_fatal_and_what_they_left_out(tmp_path: Path) -> None:
    write(tmp_path / "files", hospitals())
    said = (run(tmp_path, strict_study(tmp_path, "dose")) / "report.html").read_text(encoding="utf-8")
    assert "One that breaks a rule of dose isn&#39;t used" in said
    assert "Resources that this study doesn&#39;t use, by fatal rule and site" in said
    plain = (run(tmp_path, "clofarabine") / "report.html").read_text(encoding="utf-8")
    assert "by fatal rule" not in plain and "Resources left out" not in plain


@pytest.mark.parametrize("rule", ["code", "code:Patient", "code:Patient.gender"])
def test_a_family_a_type_and_a_field_can_be_fatal_and_a_person_goes_with_the_patient(
    tmp_path: Path, rule: str
) -> None:
    wrong = person("wrong", leukaemia(), given(), gender="odd")
    write(tmp_path / "files", {"all.ndjson": [*wrong, *person("right", leukaemia(), given())]})
    out = run(tmp_path, strict_study(tmp_path, rule))
    assert counts(out, "attrition")["all", "known"] == counts(out, "attrition")["all", "treated"] == "1"
    assert ask(
        tmp_path, "select person.resource_id from strict.cohort join clinical.person using (person_id)"
    ) == [("right",)]


@pytest.mark.parametrize("rule", ["code:Patient.gen", "code:Observation", "period", "invalid"])
def test_other_rules_leave_it_where_it_is(tmp_path: Path, rule: str) -> None:
    write(tmp_path / "files", {"all.ndjson": person("p", leukaemia(), given(), gender="odd")})
    out = run(tmp_path, strict_study(tmp_path, rule))
    assert counts(out, "attrition")["all", "treated"] == "1"
    assert ask(tmp_path, "from strict.left_out") == []


def test_a_record_of_a_drug_goes_with_the_medication_that_it_means(tmp_path: Path) -> None:
    drug = {"resourceType": "Medication", "id": "drug", "code": concept(ATC, CLOFARABINE), "status": "odd"}
    items = [{"itemReference": {"reference": "Medication/drug"}}]
    mix = {"resourceType": "Medication", "id": "mix", "ingredient": items}
    by_mix = given(0, medicationReference={"reference": "Medication/mix"})
    del by_mix["medicationCodeableConcept"]
    records = person("p", leukaemia(), by_mix, dispensed(3))
    write(tmp_path / "files", {"all.ndjson": [drug, mix, *records]})
    run(tmp_path, strict_study(tmp_path, "code:Medication.status"))
    left_out = ask(tmp_path, "select resource_key from strict.left_out order by all")
    assert left_out == [("Medication/drug",), ("Medication/mix",), ("MedicationAdministration/p-1",)]
    # Only the Medication itself breaks a rule.
    assert ask(tmp_path, "select id from quality.finding where rule = 'code:Medication.status'") == [
        ("drug",)
    ]
    assert ask(tmp_path, "select evidence_level from strict.doses") == [("dispensed",)]


def test_every_table_that_a_study_reads_is_without_what_is_left_out(tmp_path: Path) -> None:
    """Each view of the study has one row less than the clinical table, or none where nothing there is wrong."""
    write(
        tmp_path / "files",
        {"all.ndjson": [patient("other"), *person("p", leukaemia(), given(), gender="odd")]},
    )
    run(tmp_path, strict_study(tmp_path, "code"))
    views = ask(
        tmp_path,
        "select view_name from duckdb_views() where schema_name = 'strict' and sql ilike '%anti join left_out%'",
    )
    assert len(views) == 9
    for (view,) in views:
        (row,) = ask(
            tmp_path,
            f"select count(*), count(*) filter (where exists (from strict.left_out as o "
            f"where o.site = r.site and o.resource_key = r.resource_key)), "
            f"(select count(*) from strict.{view}) from clinical.{view} as r",
        )
        assert row[0] - row[1] == row[2], view
    assert ask(tmp_path, "select resource_id from strict.person") == [("other",)]


def test_no_study_model_reads_past_its_views() -> None:
    """What is left out would come back by such a way; only `contribution` may, which names sources of what is there."""
    folder = STUDIES.parent / "sql" / "study"
    views = {
        path.stem for path in folder.glob("*.sql") if "anti join left_out" in path.read_text(encoding="utf-8")
    }
    for path in folder.glob("*.sql"):
        if path.stem not in (*views, "contribution"):
            text = path.read_text(encoding="utf-8")
            assert not [view for view in views if f"clinical.{view}\n" in text or f"clinical.{view} " in text]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("kode:Patient.gender", 'did you mean "code"?'),
        ("reference:unresolved-patient", "known: code, dose, invalid, order, period"),
        ('"code:"', 'did you mean "code"?'),
        ('"Patient.gender"', "known: "),
    ],
)
def test_a_rule_of_no_family_is_an_error_with_its_line(tmp_path: Path, rule: str, said: str) -> None:
    folder = strict_study(tmp_path, "code", rule)
    line = len((folder / "protocol.yaml").read_text(encoding="utf-8").splitlines())
    with pytest.raises(StudyError) as caught:
        load_study(str(folder))
    (message,) = caught.value.errors
    assert f"protocol.yaml line {line}:" in message and "quality.fatal_rules" in message
    assert said in message


def test_a_rule_that_is_named_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="stands here twice"):
        load_study(str(strict_study(tmp_path, "code", "code")))
