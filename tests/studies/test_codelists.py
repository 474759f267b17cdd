"""The bundled codelists have the codes that are seen in sources, and only these."""

from __future__ import annotations

from studies.reading import load_study

STUDY = load_study("clofarabine")
ITEMS = "urn:cove:study-item"


def codes(name: str, system: str) -> set[str]:
    return {row.code for row in STUDY.codelists[name].rows if row.system.endswith(system)}


def test_transplants_are_every_substance_by_either_vein() -> None:
    substances = ["G0", "G1", "G2", "G3", "U2", "U3", "X0", "X1", "X2", "X3", "Y0", "Y1", "Y2", "Y3", "C0"]
    expected = {f"302{vein}{substance}" for vein in ("33", "43") for substance in substances}
    assert len(expected) == 30
    assert codes("hsct", "/ICD10") == expected | {"XW133C8", "XW143C8"}
    assert codes("hsct", "/sct") == {"234336002", "23719005"}
    assert codes("hsct", "/cpt") == {"38240", "38241"}


def test_a_korean_diagnosis_is_found_with_and_without_its_dot() -> None:
    assert codes("diagnosis", "kostat-kcd-8") == {
        *("C91.0", "C91.00", "C91.01", "C91.02"),
        *("C910", "C9100", "C9101", "C9102"),
    }


def test_an_index_drug_and_each_other_drug_is_named_by_its_concept() -> None:
    assert {row.concept for row in STUDY.codelists["index_drug"].rows} == {"clofarabine"}
    drugs = {row.concept for row in STUDY.codelists["antileukaemic"].rows}
    assert len(drugs) == 15
    assert "clofarabine" not in drugs


def test_a_row_without_a_concept_has_that_of_its_list() -> None:
    assert {row.concept for row in STUDY.codelists["anc"].rows} == {"anc"}


def test_the_items_of_a_study_have_one_code_each() -> None:
    items = {row.code for one in STUDY.codelists.values() for row in one.rows if row.system == ITEMS}
    assert items == {
        "prior-regimens",
        "refractory",
        "extramedullary-disease",
        "investigator-response",
        "completed-follow-up",
        "disease-relapse",
        "mrd",
    }


def test_phenotypes_are_diagnoses_too() -> None:
    diagnosis = {(row.system, row.code) for row in STUDY.codelists["diagnosis"].rows}
    for name in ("phenotype_b_cell", "phenotype_t_cell", "relapse_diagnosis"):
        assert {(row.system, row.code) for row in STUDY.codelists[name].rows} <= diagnosis
