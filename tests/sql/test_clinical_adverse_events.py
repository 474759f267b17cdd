"""Adverse events of both FHIR versions, and Conditions that are some: codes, grade, seriousness, suspects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sql.clinical_files import (
    ATC,
    LOCAL,
    MEDDRA,
    Resource,
    administration,
    clinical,
    coded,
    concept_map,
    condition,
    event,
    patient,
    ref,
    rows,
)

SERIOUSNESS = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness"
OUTCOME = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
CAUSALITY = "http://terminology.hl7.org/CodeSystem/adverse-event-causality-assess"
NCI = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
BLOOD, NEUTROPENIA, NAUSEA = "10005329", "10029354", "10028813"
CATEGORY = "urn:cove:condition-category"


def terms(*codings: tuple[str, str, str | None], text: str | None = None) -> Resource:
    listed = [coded(*one)["coding"][0] for one in codings]
    return ({"coding": listed} if listed else {}) | ({"text": text} if text else {})


def r5_event(id: str, **fields: Any) -> Resource:
    base = {"resourceType": "AdverseEvent", "id": id, "actuality": "actual", "status": "completed"}
    return base | {"subject": ref("Patient/p")} | fields


def test_an_event_has_its_soc_its_pt_or_its_text(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient(),
        concept_map((LOCAL, MEDDRA, {"N": NAUSEA})),
        event("both", event=terms((MEDDRA, BLOOD, "Blood"), (MEDDRA, NEUTROPENIA, "Febrile neutropenia"))),
        event("pt", event=terms((MEDDRA, NAUSEA, "Nausea"), text="sick")),
        event("lower", event=terms((MEDDRA, NAUSEA, "nausea"))),
        event("again", event=terms((MEDDRA, NAUSEA, "Nausea"))),
        event("own", event=terms((LOCAL, "N", "Übelkeit"))),
        event("unnamed", event=terms((MEDDRA, "10000001", None), (MEDDRA, "10000002", "Second"))),
        event("text", event=terms(text="felt odd")),
        event("soc", event=terms((MEDDRA, BLOOD, "Blood"), text="low counts")),
        event("other", event=terms(("s:s", "1", "A display"))),
        r5_event("r5", code=terms((MEDDRA, NAUSEA, "Nausea"))),
        event("none"),
    )
    assert rows(con, "clinical.adverse_event", "resource_id, soc_code, pt_code, pt_display, term") == [
        ("again", None, NAUSEA, "Nausea", "Nausea"),
        ("both", BLOOD, NEUTROPENIA, "Febrile neutropenia", "Febrile neutropenia"),
        ("lower", None, NAUSEA, "Nausea", "Nausea"),
        ("none", None, None, None, None),
        ("other", None, None, None, "A display"),
        ("own", None, NAUSEA, "Nausea", "Nausea"),
        ("pt", None, NAUSEA, "Nausea", "sick"),
        ("r5", None, NAUSEA, "Nausea", "Nausea"),
        ("soc", BLOOD, None, None, "low counts"),
        ("text", None, None, None, "felt odd"),
        ("unnamed", None, "10000001", "10000001", "Second"),
    ]


def test_dates_and_statuses_of_both_versions(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient(),
        event("date", date="2020-03-01T23:30:00+09:00"),
        event("partial", date="2020-03"),
        event("none"),
        event("potential", date="2020-03-01", actuality="potential"),
        r5_event("r5", occurrenceDateTime="2020-03-02"),
        r5_event("period", occurrencePeriod={"start": "2020-03-03", "end": "2020-03-05"}),
        r5_event("error", occurrenceDateTime="2020-03-02", status="entered-in-error"),
    )
    columns = "resource_id, onset_text, onset_on::varchar, onset_last::varchar, ended_on::varchar, is_counted"
    assert rows(con, "clinical.adverse_event", columns) == [
        ("date", "2020-03-01T23:30:00+09:00", "2020-03-01", "2020-03-01", None, True),
        ("error", "2020-03-02", "2020-03-02", "2020-03-02", None, False),
        ("none", None, None, None, None, True),
        ("partial", "2020-03", None, "2020-03-31", None, True),
        ("period", "2020-03-03", "2020-03-03", "2020-03-03", "2020-03-05", True),
        ("potential", "2020-03-01", "2020-03-01", "2020-03-01", None, False),
        ("r5", "2020-03-02", "2020-03-02", "2020-03-02", None, True),
    ]


def test_serious_and_fatal_by_code_whatever_the_case_and_by_the_sites_map(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient(),
        concept_map((LOCAL, SERIOUSNESS, {"S": "serious"}), (LOCAL, OUTCOME, {"X": "fatal"})),
        event("capital", seriousness=coded(SERIOUSNESS, "Serious")),
        event("longer", seriousness=coded(SERIOUSNESS, "SeriousResultsInDeath")),
        event("non", seriousness=coded(SERIOUSNESS, "Non-serious"), outcome=coded(OUTCOME, "recovered")),
        event("own", seriousness=coded(LOCAL, "S"), outcome=coded(LOCAL, "X")),
        event("unmapped", seriousness=coded(LOCAL, "T"), outcome=coded(LOCAL, "Y")),
        event("fatal", outcome=coded(OUTCOME, "fatal")),
        event("nci", outcome=coded(NCI, "C48275")),
        r5_event("list", outcome=[coded(OUTCOME, "resolved"), coded(OUTCOME, "fatal")]),
        event("grade", extension=[grade("5")]),
    )
    assert rows(con, "clinical.adverse_event", "resource_id, is_serious, is_fatal") == [
        ("capital", True, False),
        ("fatal", False, True),
        ("grade", False, True),
        ("list", False, True),
        ("longer", True, False),
        ("nci", False, True),
        ("non", False, False),
        ("own", True, True),
        ("unmapped", False, False),
    ]


def test_a_fatal_event_dates_the_death_by_its_end_else_its_date(tmp_path: Path) -> None:
    fatal = coded(OUTCOME, "fatal")
    period = {"start": "2020-03-01", "end": "2020-03-05"}
    con = clinical(
        tmp_path,
        patient(),
        event("date", date="2020-03-02", outcome=fatal),
        r5_event("period", occurrencePeriod=period, outcome=[fatal]),
        r5_event("error", occurrencePeriod=period, outcome=[fatal], status="entered-in-error"),
        event("potential", date="2020-03-02", outcome=fatal, actuality="potential"),
        condition(
            "condition",
            category=[coded(CATEGORY, "adverse-event")],
            onsetDateTime="2020-03",
            extension=[grade("5")],
        ),
    )
    assert rows(con, "clinical.death_record", "resource_id, died_text") == [
        ("condition", "2020-03"),
        ("date", "2020-03-02"),
        ("period", "2020-03-05"),
    ]


def grade(code: str, name: str = "severity-or-grade") -> Resource:
    return {"url": f"http://h.example/StructureDefinition/{name}", "valueCodeableConcept": coded("s:s", code)}


def test_grades_and_discontinuation_are_extensions_and_severity_is_no_grade(tmp_path: Path) -> None:
    stopped = "http://h.example/StructureDefinition/caused-subject-to-discontinue-study"
    category = [coded(CATEGORY, "adverse-event")]
    con = clinical(
        tmp_path,
        patient(),
        event("1", extension=[grade("3")], severity=coded("s:s", "severe")),
        event("2", extension=[{"url": "urn:x/ae-grade", "valueCoding": {"system": "s:s", "code": "4"}}]),
        event("3", extension=[grade("2"), grade("3"), {"url": stopped, "valueBoolean": True}]),
        event("4", extension=[grade("6"), grade("grade 3"), {"url": stopped, "valueBoolean": False}]),
        event("5", severity=coded("s:s", "severe"), extension=[grade("4", "other")]),
        condition("6", category=category, extension=[grade("4"), {"url": stopped, "valueBoolean": True}]),
    )
    assert rows(con, "clinical.adverse_event", "resource_id, grade, severity, led_to_discontinuation") == [
        ("1", 3, "severe", False),
        ("2", 4, None, False),
        ("3", 3, None, True),
        ("4", None, None, False),
        ("5", None, "severe", False),
        ("6", 4, None, True),
    ]


def test_conditions_are_events_by_their_category_or_the_sites_own(tmp_path: Path) -> None:
    own, other = (
        coded(LOCAL, "AE"),
        coded("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item"),
    )
    con = clinical(
        tmp_path,
        patient(),
        concept_map((LOCAL, CATEGORY, {"AE": "adverse-event"})),
        condition(
            "1",
            category=[coded(CATEGORY, "adverse-event"), other],
            code=terms((MEDDRA, NAUSEA, "Nausea"), (MEDDRA, BLOOD, "Blood")),
            onsetDateTime="2020-03-01",
            abatementDateTime="2020-03-04",
        ),
        condition("2", category=[own], code={"text": "felt odd"}, onsetPeriod={"start": "2020-03"}),
        condition("3", category=[other], code=terms((MEDDRA, NAUSEA, "Nausea"))),
        condition("4", category=[coded("urn:wards", "adverse-event")]),
        condition(
            "5",
            category=[own],
            verificationStatus=coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "refuted"),
        ),
    )
    columns = "kind, resource_id, soc_code, pt_code, term, onset_text, ended_on::varchar, is_counted"
    assert rows(con, "clinical.adverse_event", columns) == [
        ("Condition", "1", BLOOD, NAUSEA, "Nausea", "2020-03-01", "2020-03-04", True),
        ("Condition", "2", None, None, "felt odd", "2020-03", None, True),
        ("Condition", "5", None, None, None, None, None, False),
    ]


def suspects(*entities: Resource) -> Resource:
    return {"suspectEntity": list(entities)}


def assessed(system: str, code: str) -> Resource:
    return {"causality": [{"assessment": coded(system, code)}]}


def test_causality_is_read_in_each_of_its_forms(tmp_path: Path) -> None:
    drug = {"instance": ref("Medication/m")}
    related = {
        "certain": assessed(CAUSALITY, "Certain"),
        "possible": assessed(CAUSALITY, "possible"),
        "probable": assessed(CAUSALITY, "Probably-Likely"),
        "nci": assessed(NCI, "C53260"),
        "nci-possible": assessed("https://ncit.nci.nih.gov", "C53258"),
        "own": assessed(LOCAL, "JA"),
        "second": {
            "causality": [
                {"assessment": coded(CAUSALITY, "unlikely")},
                {"assessment": coded(CAUSALITY, "certain")},
            ]
        },
    }
    unrelated = {
        "unlikely": assessed(CAUSALITY, "Unlikely"),
        "nci-unlikely": assessed(NCI, "C53257"),
        "nci-unrelated": assessed(NCI, "C53256"),
        "conditional": assessed(CAUSALITY, "conditional-classified"),
        "unmapped": assessed(LOCAL, "NEIN"),
        "silent": {},
    }
    r5 = {"instanceReference": ref("Medication/m"), "causality": {"entityRelatedness": coded(NCI, "C53260")}}
    con = clinical(
        tmp_path,
        patient(),
        concept_map((LOCAL, CAUSALITY, {"JA": "certain"})),
        *(event(name, **suspects(drug | form)) for name, form in (related | unrelated).items()),
        r5_event("r5", **suspects(r5)),
    )
    got = rows(
        con, "clinical.adverse_event_suspect", "replace(resource_key, 'AdverseEvent/', '')", "is_related"
    )
    assert got == [(name,) for name in sorted([*related, "r5"])]


def test_a_suspect_has_the_codes_of_its_medication_or_of_the_dose(tmp_path: Path) -> None:
    clofarabine, etoposide = coded(ATC, "L01BB06"), coded(ATC, "L01CB01")
    mix = {"resourceType": "Medication", "id": "mix", "code": clofarabine}
    con = clinical(
        tmp_path,
        patient(),
        mix | {"ingredient": [{"itemCodeableConcept": etoposide}]},
        administration("dose", medicationCodeableConcept=etoposide),
        event(
            "1",
            **suspects(
                {"instance": ref("Medication/mix")}, {"instance": ref("MedicationAdministration/dose")}
            ),
        ),
        event("2", **suspects({"instance": ref("Device/1")}, {"instance": {"display": "the study drug"}})),
        event("3", contained=[mix | {"id": "m"}], **suspects({"instance": ref("#m")})),
        r5_event("4", **suspects({"instanceCodeableConcept": clofarabine})),
    )

    def codes(*names: str) -> list[Resource]:
        return [{"system": ATC, "code": name} for name in names]

    columns = "resource_key, suspect, codes, has_codes"
    assert rows(con, "clinical.adverse_event_suspect", columns) == [
        ("AdverseEvent/1", 0, codes("L01BB06", "L01CB01"), True),
        ("AdverseEvent/1", 1, codes("L01CB01"), True),
        ("AdverseEvent/2", 0, [], False),
        ("AdverseEvent/2", 1, [], False),
        ("AdverseEvent/3", 0, codes("L01BB06"), True),
        ("AdverseEvent/4", 0, codes("L01BB06"), True),
    ]
