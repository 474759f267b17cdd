"""What a reference may look like, and what becomes of one that means nothing, or more than one thing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.sql.clinical_files import (
    ATC,
    LOINC,
    WHEN,
    Resource,
    administration,
    build,
    bundle,
    clinical,
    coded,
    event,
    findings,
    land,
    observation,
    patient,
    persons,
    ref,
    rows,
)

MRN = "urn:mrn"
URN = "urn:uuid:6F0C0A26-3F0B-4B52-9A5C-1D9C8D0C1A11"


def about(id: str, subject: Resource | None) -> Resource:
    return observation(id, LOINC, "777-3", valueInteger=1) | {"subject": subject}


def identified(value: str) -> list[Resource]:
    return [{"system": MRN, "value": value}]


def test_every_form_of_reference_finds_its_patient(tmp_path: Path) -> None:
    entries = bundle(
        (URN, patient("u")), ("https://h.example/fhir/Patient/v", patient("v")), type="searchset"
    )
    land(
        tmp_path,
        {
            "a": {
                "bundle.json": [entries],
                "patients.ndjson": [patient(), patient("i", identifier=identified("7"))],
                "rest.ndjson": [
                    about("relative", ref("Patient/p")),
                    about("absolute", ref("https://h.example/fhir/Patient/p")),
                    about("versioned", ref("Patient/p/_history/3")),
                    about("absolute-versioned", ref("http://h.example/Patient/p/_history/3")),
                    about("urn", ref(URN.lower())),
                    about("url", ref("https://h.example/fhir/Patient/v")),
                    about("conditional", ref(f"Patient?identifier={MRN}|7")),
                    about("encoded", ref("Patient?identifier=urn%3Amrn%7C7")),
                    about("any-system", ref("Patient?identifier=7")),
                    about("slash", ref("https://h.example/fhir/Patient/p/")),
                    about("spaces", ref(" Patient/p ")),
                    about("identifier", {"identifier": {"system": MRN, "value": "7"}}),
                    about("typed", {"type": "Patient", "identifier": {"system": MRN, "value": "7"}}),
                ],
            }
        },
    )
    con = build(tmp_path)
    assert persons(con, "measurement") == [
        ("absolute", "Patient/p"),
        ("absolute-versioned", "Patient/p"),
        ("any-system", "Patient/i"),
        ("conditional", "Patient/i"),
        ("encoded", "Patient/i"),
        ("identifier", "Patient/i"),
        ("relative", "Patient/p"),
        ("slash", "Patient/p"),
        ("spaces", "Patient/p"),
        ("typed", "Patient/i"),
        ("url", "Patient/v"),
        ("urn", "Patient/u"),
        ("versioned", "Patient/p"),
    ]
    assert findings(con) == []


def test_a_resource_without_an_id_is_known_by_its_full_url(tmp_path: Path) -> None:
    person = patient() | {"id": None}
    del person["id"]
    con = clinical(tmp_path, bundle((URN, person), ("urn:uuid:1", about("o", ref(URN)))))
    assert persons(con, "measurement") == [("o", f"Patient/{URN}")]


ONE, TWO = "urn:uuid:1", "urn:uuid:2"


def test_a_urn_means_what_its_own_bundle_says(tmp_path: Path) -> None:
    bundles = [bundle((ONE, patient(id)), (TWO, about(f"of {id}", ref(ONE)))) for id in "pqrs"]
    files = {"1.json": bundles[:1], "2.json": bundles[1:2], "3.ndjson": bundles[2:]}
    land(tmp_path, {"a": files | {"4.ndjson": [about("no bundle", ref(ONE))]}})
    con = build(tmp_path)
    expected = [(f"of {id}", f"Patient/{id}") for id in "pqrs"]
    assert persons(con, "measurement") == [("no bundle", None), *expected]
    assert findings(con) == [("Observation", "no bundle", "reference:unresolved-patient")]


def test_a_urn_of_a_quarantined_entry_means_nobody_else(tmp_path: Path) -> None:
    wrong = patient("q") | {"birthDate": 1950}
    files = {
        "1.json": [bundle((ONE, patient("p")), (TWO, about("of p", ref(ONE))))],
        "2.json": [bundle((ONE, wrong), (TWO, about("of q", ref(ONE))))],
        "3.ndjson": [
            bundle((ONE, patient("r")), (ONE, patient("s")), (TWO, about("of r or s", ref(ONE)))),
        ],
    }
    land(tmp_path, {"a": files})
    con = build(tmp_path)
    assert persons(con, "measurement") == [("of p", "Patient/p"), ("of q", None), ("of r or s", None)]
    unresolved = [row for row in findings(con) if row[2] == "reference:unresolved-patient"]
    assert unresolved == [("Observation", id, "reference:unresolved-patient") for id in ("of q", "of r or s")]


def test_an_identifier_of_two_patients_means_neither_and_is_a_finding(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient("p", identifier=identified("7")),
        patient("q", identifier=identified("7")),
        about("o", ref(f"Patient?identifier={MRN}|7")),
    )
    assert persons(con, "measurement") == [("o", None)]
    assert findings(con) == [("Observation", "o", "reference:unresolved-patient")]


def test_an_identifier_that_was_corrected_means_the_patient_who_has_it_now(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient("p", identifier=identified("7"), meta={"versionId": "1"})]}})
    corrected = patient("p", identifier=identified("8"), meta={"versionId": "2"})
    others = [corrected, patient("q", identifier=identified("7"))]
    references = [about(value, ref(f"Patient?identifier={MRN}|{value}")) for value in "78"]
    land(tmp_path, {"a": {"2.ndjson": others + references}}, WHEN + timedelta(days=1))
    assert persons(build(tmp_path), "measurement") == [("7", "Patient/q"), ("8", "Patient/p")]


def test_an_identifier_that_a_medication_shares_still_means_the_patient(tmp_path: Path) -> None:
    drug = {"resourceType": "Medication", "id": "m", "identifier": identified("7")}
    con = clinical(
        tmp_path,
        patient("p", identifier=identified("7")),
        drug,
        about("o", {"identifier": {"system": MRN, "value": "7"}}),
    )
    assert persons(con, "measurement") == [("o", "Patient/p")]


def test_references_never_reach_into_another_site(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient()]}, "b": {"1.ndjson": [about("o", ref("Patient/p"))]}})
    con = build(tmp_path)
    assert rows(con, "quality.finding", "site, rule") == [("b", "reference:unresolved-patient")]


def test_a_reference_to_nobody_is_a_finding_of_each_type_that_has_persons(tmp_path: Path) -> None:
    nobody = {"subject": ref("Patient/nobody")}
    con = clinical(
        tmp_path,
        {"resourceType": "Condition", "id": "1"} | nobody,
        {"resourceType": "Encounter", "id": "1", "status": "finished", "class": {"code": "IMP"}} | nobody,
        {"resourceType": "Procedure", "id": "1", "status": "completed"} | nobody,
        {"resourceType": "AdverseEvent", "id": "1", "actuality": "actual"} | nobody,
        administration("1", medicationCodeableConcept=coded(ATC, "L01BB06")) | nobody,
        observation("1", LOINC, "777-3") | nobody,
    )
    assert {(kind, rule) for kind, _, rule in findings(con)} == {
        (kind, "reference:unresolved-patient")
        for kind in (
            "AdverseEvent",
            "Condition",
            "Encounter",
            "MedicationAdministration",
            "Observation",
            "Procedure",
        )
    }
    assert len(findings(con)) == 6


def test_a_medication_is_found_in_another_file_contained_and_nowhere(tmp_path: Path) -> None:
    clofarabine = {"resourceType": "Medication", "code": coded(ATC, "L01BB06")}
    land(
        tmp_path,
        {
            "a": {
                "1.ndjson": [
                    patient(),
                    administration("file", medicationReference=ref("Medication/m")),
                    administration(
                        "inside", contained=[clofarabine | {"id": "x"}], medicationReference=ref("#x")
                    ),
                    administration("nowhere", medicationReference=ref("Medication/gone")),
                    administration("r5", medication={"reference": ref("Medication/m")})
                    | {"occurenceDateTime": "2020-03-01", "effectiveDateTime": None},
                ],
                "2.ndjson": [clofarabine | {"id": "m"}],
            }
        },
    )
    con = build(tmp_path)
    assert rows(con, "clinical.drug_exposure", "resource_id, concept") == [
        ("file", "clofarabine"),
        ("inside", "clofarabine"),
        ("nowhere", None),
        ("r5", "clofarabine"),
    ]
    assert findings(con) == [("MedicationAdministration", "nowhere", "reference:unresolved-medication")]


def test_a_reference_of_no_form_that_leads_anywhere_is_a_finding(tmp_path: Path) -> None:
    forms: dict[str, Resource] = {
        "by-search": ref("Medication?code=1"),
        "text": ref("some drug"),
        "lower": ref("medication/m"),
        "part": ref("Medication/m#x"),
        "display": {"display": "some drug"},
        "empty": {},
        "no-value": {"identifier": {"system": MRN}},
    }
    resources = [administration(name, medicationReference=form) for name, form in forms.items()]
    con = clinical(
        tmp_path,
        patient(),
        *resources,
        administration("right", medicationReference=ref("Medication/m")),
        administration("coded", medicationCodeableConcept=coded(ATC, "L01BB06")),
        administration("text-only", medicationCodeableConcept={"text": "some drug"}),
        {"resourceType": "Medication", "id": "m", "ingredient": [{"itemReference": ref("Substance/s")}]},
        {"resourceType": "Medication", "id": "mix", "ingredient": [{"itemReference": ref("Medication/")}]},
        {"resourceType": "Medication", "id": "named", "ingredient": [{"itemCodeableConcept": {"text": "x"}}]},
    )
    assert findings(con) == sorted(
        [("Medication", "mix", "reference:unresolved-medication")]
        + [("MedicationAdministration", name, "reference:unresolved-medication") for name in forms]
    )


def test_two_entries_of_one_full_url_mean_neither_and_that_is_a_finding(tmp_path: Path) -> None:
    one, other = ({"resourceType": "Medication", "id": name, "code": coded(ATC, name)} for name in "mn")
    entries = bundle(
        (URN, one), (URN, other), ("urn:uuid:d", administration("d", medicationReference=ref(URN)))
    )
    con = clinical(tmp_path, patient(), entries)
    assert findings(con) == [("MedicationAdministration", "d", "reference:unresolved-medication")]
    assert rows(con, "clinical.drug_exposure", "resource_id, codelist") == [("d", None)]


def test_a_suspect_that_is_not_held_is_a_finding_where_it_is_a_drug(tmp_path: Path) -> None:
    suspects = {
        "held": ref("Medication/m"),
        "dose": ref("MedicationAdministration/d"),
        "gone": ref("Medication/gone"),
        "urn": ref(URN),
        "nothing": ref("some drug"),
        "device": ref("Device/1"),
    }

    def suspected(name: str, **entity: Resource) -> Resource:
        status = {"status": "completed"} if "instanceReference" in entity else {}
        return event(name, suspectEntity=[entity], **status)

    con = clinical(
        tmp_path,
        patient(),
        {"resourceType": "Medication", "id": "m", "code": coded(ATC, "L01BB06")},
        administration("d", medicationReference=ref("Medication/m")),
        *(suspected(name, instance=to) for name, to in suspects.items()),
        *(suspected(f"r5-{name}", instanceReference=to) for name, to in suspects.items()),
    )
    unresolved = ("gone", "urn", "nothing")
    assert findings(con) == sorted(
        ("AdverseEvent", f"{version}{name}", "reference:unresolved-suspect")
        for name in unresolved
        for version in ("", "r5-")
    )
