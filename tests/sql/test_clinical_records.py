"""Drugs, diagnoses, procedures, deaths and contacts: what counts, when it was, and what it is coded as."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from tests.sql.clinical_files import (
    ATC,
    LOCAL,
    LOINC,
    SNOMED,
    Resource,
    administration,
    build,
    clinical,
    coded,
    concept_map,
    condition,
    event,
    findings,
    land,
    observation,
    patient,
    ref,
    rows,
)

CLOFARABINE = coded(ATC, "L01BB06")
DISCHARGE = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
ROUTE = "http://standardterms.edqm.eu"


def record(kind: str, id: str, **fields: Any) -> Resource:
    return {
        "resourceType": kind,
        "id": id,
        "subject": ref("Patient/p"),
        "medicationCodeableConcept": CLOFARABINE,
    } | fields


def test_the_statuses_that_count_are_those_of_each_level_of_evidence(tmp_path: Path) -> None:
    counted = {
        "MedicationAdministration": {"completed", "in-progress", "stopped"},
        "MedicationDispense": {"completed", "in-progress"},
        "MedicationStatement": {"active", "completed", "recorded"},
        "MedicationRequest": {"active", "completed"},
    }
    statuses = {
        "MedicationAdministration": "in-progress not-done on-hold completed entered-in-error stopped unknown",
        "MedicationDispense": "preparation in-progress cancelled on-hold completed entered-in-error stopped declined",
        "MedicationStatement": "active completed entered-in-error intended stopped on-hold unknown not-taken recorded",
        "MedicationRequest": "active on-hold cancelled completed entered-in-error stopped draft unknown",
    }
    required = {
        "MedicationAdministration": {"effectiveDateTime": "2020-03-01"},
        "MedicationDispense": {},
        "MedicationStatement": {},
        "MedicationRequest": {"intent": "order"},
    }
    sent = [
        record(kind, status, status=status, **required[kind])
        for kind, written in statuses.items()
        for status in written.split()
    ]
    con = clinical(tmp_path, patient(), *sent)
    got = rows(con, "clinical.drug_exposure", "resource_type, status, is_counted")
    assert got == sorted((k, s, s in counted[k]) for k, written in statuses.items() for s in written.split())


def test_an_order_counts_by_its_intent_and_unless_it_forbids(tmp_path: Path) -> None:
    intents = ["order", "plan", "proposal", "original-order", "instance-order", "option"]
    sent = [record("MedicationRequest", intent, status="active", intent=intent) for intent in intents]
    forbidden = record("MedicationRequest", "not", status="active", intent="order", doNotPerform=True)
    allowed = record("MedicationRequest", "yes", status="active", intent="order", doNotPerform=False)
    con = clinical(tmp_path, patient(), *sent, forbidden, allowed)
    assert rows(con, "clinical.drug_exposure", "resource_id", "is_counted") == [("order",), ("yes",)]


def test_a_dose_has_the_date_and_the_level_of_its_type_in_either_version(tmp_path: Path) -> None:
    period = {"start": "2020-03-02", "end": "2020-03-04"}
    con = clinical(
        tmp_path,
        patient(),
        record(
            "MedicationAdministration",
            "a1",
            status="completed",
            effectiveDateTime="2020-03-01T23:30:00+09:00",
        ),
        record("MedicationAdministration", "a2", status="completed", effectivePeriod=period),
        r5("MedicationAdministration", "a3", status="completed", occurenceDateTime="2020-03-05"),
        r5("MedicationAdministration", "a4", status="completed", occurrencePeriod=period),
        record(
            "MedicationDispense",
            "d1",
            status="completed",
            whenHandedOver="2020-03-06",
            whenPrepared="2020-03-05",
        ),
        record("MedicationRequest", "r1", status="active", intent="order", authoredOn="2020-03-07"),
        r5("MedicationRequest", "r2", status="active", intent="order", authoredOn="2020-03-08"),
        record(
            "MedicationStatement", "s1", status="active", effectivePeriod=period, dateAsserted="2020-03-09"
        ),
        r5("MedicationStatement", "s2", status="recorded", effectiveDateTime="2020-03"),
        r5("MedicationDispense", "d2", status="completed", whenHandedOver="2020-03-10"),
    )
    columns = "resource_id, concept, evidence_level, exposed_text, exposed_on::varchar, ended_on::varchar"
    assert rows(con, "clinical.drug_exposure", columns, "is_counted") == [
        ("a1", "clofarabine", "administered", "2020-03-01T23:30:00+09:00", "2020-03-01", None),
        ("a2", "clofarabine", "administered", "2020-03-02", "2020-03-02", "2020-03-04"),
        ("a3", "clofarabine", "administered", "2020-03-05", "2020-03-05", None),
        ("a4", "clofarabine", "administered", "2020-03-02", "2020-03-02", "2020-03-04"),
        ("d1", "clofarabine", "dispensed", "2020-03-06", "2020-03-06", None),
        ("d2", "clofarabine", "dispensed", "2020-03-10", "2020-03-10", None),
        ("r1", "clofarabine", "ordered", "2020-03-07", "2020-03-07", None),
        ("r2", "clofarabine", "ordered", "2020-03-08", "2020-03-08", None),
        ("s1", "clofarabine", "stated", "2020-03-02", "2020-03-02", "2020-03-04"),
        ("s2", "clofarabine", "stated", "2020-03", None, None),
    ]
    assert findings(con) == []


def r5(kind: str, id: str, **fields: Any) -> Resource:
    base = {
        "resourceType": kind,
        "id": id,
        "subject": ref("Patient/p"),
        "medication": {"concept": CLOFARABINE},
    }
    return base | fields


def medication(id: str, **fields: Any) -> Resource:
    return {"resourceType": "Medication", "id": id} | fields


def test_a_product_is_a_dose_of_each_ingredient_however_they_are_nested(tmp_path: Path) -> None:
    etoposide, cytarabine = coded(ATC, "L01CB01"), coded(ATC, "L01BC01")
    given = {
        "product": ref("Medication/product"),
        "mix": ref("Medication/mix"),
        "deep": ref("Medication/deep"),
        "round": ref("Medication/round"),
        "r5": ref("Medication/r5"),
    }
    con = clinical(
        tmp_path,
        patient(),
        medication("product", code=CLOFARABINE),
        medication(
            "mix", ingredient=[{"itemCodeableConcept": etoposide}, {"itemCodeableConcept": cytarabine}]
        ),
        medication(
            "deep",
            ingredient=[{"itemReference": ref("Medication/mix")}, {"itemCodeableConcept": CLOFARABINE}],
        ),
        medication("round", code=etoposide, ingredient=[{"itemReference": ref("Medication/again")}]),
        medication("again", ingredient=[{"itemReference": ref("Medication/round")}]),
        medication(
            "r5",
            ingredient=[
                {"item": {"concept": cytarabine}},
                {"item": {"reference": ref("Medication/product")}},
            ],
        ),
        *(
            administration(name, medicationReference=reference)
            | {"dosage": {"dose": {"value": 40, "unit": "mg"}}}
            for name, reference in given.items()
        ),
    )
    columns = "resource_id, codelist, concept, dose_value, dose_unit"
    assert rows(con, "clinical.drug_exposure", columns) == [
        ("deep", "antileukaemic", "cytarabine", 40.0, "mg"),
        ("deep", "antileukaemic", "etoposide", 40.0, "mg"),
        ("deep", "index_drug", "clofarabine", 40.0, "mg"),
        ("mix", "antileukaemic", "cytarabine", 40.0, "mg"),
        ("mix", "antileukaemic", "etoposide", 40.0, "mg"),
        ("product", "index_drug", "clofarabine", 40.0, "mg"),
        ("r5", "antileukaemic", "cytarabine", 40.0, "mg"),
        ("r5", "index_drug", "clofarabine", 40.0, "mg"),
        ("round", "antileukaemic", "etoposide", 40.0, "mg"),
    ]


def test_a_mix_of_a_medication_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    substance = medication("s", ingredient=[{"itemReference": ref("Substance/1")}])
    con = clinical(
        tmp_path, medication("m", ingredient=[{"itemReference": ref("Medication/gone")}]), substance
    )
    assert findings(con) == [("Medication", "m", "reference:unresolved-medication")]


def test_a_sites_own_drugs_and_routes_are_translated(tmp_path: Path) -> None:
    maps = concept_map((LOCAL, ATC, {"CLO": "L01BB06"}), (LOCAL, ROUTE, {"IV": "20045000"}))
    con = clinical(
        tmp_path,
        patient(),
        maps,
        administration(
            "1", medicationCodeableConcept=coded(LOCAL, "CLO"), dosage={"route": coded(LOCAL, "IV")}
        ),
        administration("2", medicationCodeableConcept={"text": "Clofarabine 20 mg"}),
    )
    both = [f"{ROUTE}|20045000", f"{LOCAL}|IV"]
    assert rows(con, "clinical.drug_exposure", "resource_id, concept, routes") == [
        ("1", "clofarabine", both),
        ("2", None, []),
    ]


def status(code: str) -> Resource:
    return {"verificationStatus": coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", code)}


def test_a_diagnosis_has_its_dates_its_statuses_and_its_categories(tmp_path: Path) -> None:
    local = concept_map(
        (LOCAL, "urn:cove:condition-category", {"AE": "adverse-event"}), (LOCAL, SNOMED, {"B": "277571004"})
    )
    con = clinical(
        tmp_path,
        patient(),
        local,
        condition(
            "1",
            code=coded(LOCAL, "B"),
            onsetPeriod={"start": "2020"},
            recordedDate="2020-03-04",
            **status("refuted"),
        ),
        condition(
            "2",
            code=coded("http://hl7.org/fhir/sid/icd-10-cm", "C91.02"),
            clinicalStatus=coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "relapse"),
            onsetDateTime="2020-03-01",
            abatementDateTime="2020-03-09",
        ),
        condition("3", category=[coded(LOCAL, "AE")], code={"text": "nausea"}, **status("entered-in-error")),
        condition("4", code={"text": "a name that should stay"}),
    )
    columns = "onset_text, recorded_on::varchar, abatement_on::varchar, is_counted, clinical_statuses"
    assert rows(con, "clinical.diagnosis", f"resource_id, codelist, {columns}") == [
        ("1", "diagnosis", "2020", "2020-03-04", None, False, []),
        ("1", "phenotype_b_cell", "2020", "2020-03-04", None, False, []),
        ("2", "diagnosis", "2020-03-01", None, "2020-03-09", True, ["relapse"]),
        ("2", "relapse_diagnosis", "2020-03-01", None, "2020-03-09", True, ["relapse"]),
        ("3", None, None, None, None, False, []),
        ("4", None, None, None, None, True, []),
    ]
    assert rows(con, "clinical.diagnosis", "resource_id, categories, code_text", "resource_id > '2'") == [
        ("3", ["urn:cove:condition-category|adverse-event", f"{LOCAL}|AE"], "nausea"),
        ("4", [], None),
    ]


def test_a_refuted_or_mistaken_diagnosis_is_known_by_any_of_its_codings(tmp_path: Path) -> None:
    standard = "http://terminology.hl7.org/CodeSystem/condition-ver-status"

    def verified(id: str, *codes: tuple[str, str]) -> Resource:
        return condition(id, verificationStatus={"coding": [coded(*code)["coding"][0] for code in codes]})

    con = clinical(
        tmp_path,
        patient(),
        concept_map((LOCAL, standard, {"NO": "refuted"})),
        verified("1", (LOCAL, "1"), (standard, "entered-in-error")),
        verified("2", (LOCAL, "NO")),
        verified("3", (standard, "provisional"), (LOCAL, "1")),
        condition("4"),
    )
    assert rows(con, "clinical.diagnosis", "resource_id, is_counted") == [
        ("1", False),
        ("2", False),
        ("3", True),
        ("4", True),
    ]


def test_a_procedure_counts_when_done_or_in_progress_and_has_its_start(tmp_path: Path) -> None:
    def done(id: str, status: str, **fields: Any) -> Resource:
        base = {"resourceType": "Procedure", "id": id, "status": status, "subject": ref("Patient/p")}
        return base | {"code": coded(SNOMED, "234336002")} | fields

    con = clinical(
        tmp_path,
        patient(),
        done("1", "completed", performedDateTime="2020-03-01"),
        done("2", "in-progress", performedPeriod={"start": "2020-03-02", "end": "2020-03-05"}),
        done("3", "completed", occurrenceDateTime="2020-03-03"),
        done("4", "completed", occurrencePeriod={"start": "2020-03-04"}),
        done("5", "not-done", performedDateTime="2020-03-05"),
        done("6", "entered-in-error", performedDateTime="2020-03-05"),
        done("7", "preparation", performedDateTime="2020-03-05"),
    )
    assert rows(con, "clinical.procedure", "resource_id, codelist, performed_on::varchar, is_counted") == [
        ("1", "hsct", "2020-03-01", True),
        ("2", "hsct", "2020-03-02", True),
        ("3", "hsct", "2020-03-03", True),
        ("4", "hsct", "2020-03-04", True),
        ("5", "hsct", "2020-03-05", False),
        ("6", "hsct", "2020-03-05", False),
        ("7", "hsct", "2020-03-05", False),
    ]


def encounter(
    id: str, disposition: Resource | None = None, status: str = "finished", **fields: Any
) -> Resource:
    base = {"resourceType": "Encounter", "id": id, "status": status, "subject": ref("Patient/p")}
    left = {"hospitalization": {"dischargeDisposition": disposition}} if disposition else {}
    return base | {"class": {"code": "IMP"}} | left | fields


def test_a_person_dies_by_each_kind_of_source_and_never_by_an_unmapped_discharge(tmp_path: Path) -> None:
    stay: Resource = {"period": {"start": "2020-03-01", "end": "2020-03-05T08:00:00+09:00"}}
    con = clinical(
        tmp_path,
        patient("dated", deceasedDateTime="2020-05"),
        patient("undated", deceasedBoolean=True),
        patient("alive", deceasedBoolean=False),
        patient(),
        concept_map((LOCAL, DISCHARGE, {"DIED": "exp"}), (LOCAL, SNOMED, {"MORS": "419620001"})),
        observation("code", SNOMED, "419620001", on="2020-04-01"),
        observation("value", LOINC, "1-1", on="2020-04-02", valueCodeableConcept=coded(SNOMED, "419099009")),
        observation("mapped", LOINC, "1-1", on="2020-04-03", valueCodeableConcept=coded(LOCAL, "MORS")),
        observation("false", SNOMED, "419620001", valueBoolean=False),
        observation("wrong", SNOMED, "419620001", status="entered-in-error"),
        observation("cause", LOINC, "69453-9", valueCodeableConcept=coded(SNOMED, "91302008")),
        encounter("exp", coded(DISCHARGE, "exp"), **stay),
        encounter("own", coded(LOCAL, "DIED"), **stay),
        encounter("home", coded(DISCHARGE, "home"), **stay),
        encounter("unmapped", coded(LOCAL, "EXPIRED"), **stay),
        encounter("text", {"text": "expired"}, **stay),
        encounter("planned", coded(DISCHARGE, "exp"), status="planned", **stay),
        encounter("open", coded(DISCHARGE, "exp"), period={"start": "2020-03-01"}),
        {"resourceType": "Encounter", "id": "r5", "status": "completed", "subject": ref("Patient/p")}
        | {"actualPeriod": stay["period"], "admission": {"dischargeDisposition": coded(DISCHARGE, "exp")}},
        event(
            "fatal",
            date="2020-03-06",
            outcome=coded("http://terminology.hl7.org/CodeSystem/adverse-event-outcome", "fatal"),
        ),
        event("mild", date="2020-03-06"),
    )
    assert rows(con, "clinical.death_record", "kind, resource_id, study, died_text, died_on::varchar") == [
        ("adverse_event", "fatal", None, "2020-03-06", "2020-03-06"),
        ("encounter", "exp", None, "2020-03-05T08:00:00+09:00", "2020-03-05"),
        ("encounter", "open", None, None, None),
        ("encounter", "own", None, "2020-03-05T08:00:00+09:00", "2020-03-05"),
        ("encounter", "r5", None, "2020-03-05T08:00:00+09:00", "2020-03-05"),
        ("observation", "code", "clofarabine", "2020-04-01", "2020-04-01"),
        ("observation", "mapped", "clofarabine", "2020-04-03", "2020-04-03"),
        ("observation", "value", "clofarabine", "2020-04-02", "2020-04-02"),
        ("patient", "dated", None, "2020-05", None),
        ("patient", "undated", None, None, None),
    ]


def test_contacts_are_whole_dates_of_counted_records_but_no_orders_or_statements(tmp_path: Path) -> None:
    surgery = {"resourceType": "Procedure", "subject": ref("Patient/p"), "code": coded(SNOMED, "1")}
    con = clinical(
        tmp_path,
        patient(),
        encounter("stay", period={"start": "2020-03-01", "end": "2020-03-05"}),
        encounter("open", period={"start": "2020-03-01"}),
        encounter("vague", period={"start": "2020-03-01", "end": "2020-03"}),
        encounter("cancelled", status="cancelled", period={"start": "2020-03-01"}),
        record(
            "MedicationAdministration",
            "given",
            status="completed",
            effectivePeriod={"start": "2020-03-02", "end": "2020-03-09"},
        ),
        record("MedicationAdministration", "not", status="not-done", effectiveDateTime="2020-03-02"),
        record("MedicationDispense", "handed", status="completed", whenHandedOver="2020-03-03"),
        record("MedicationRequest", "ordered", status="active", intent="order", authoredOn="2020-03-30"),
        record("MedicationStatement", "stated", status="active", effectiveDateTime="2020-03-30"),
        observation("seen", LOINC, "1-1", on="2020-03-04T10:00:00Z"),
        observation("month", LOINC, "1-1", on="2020-03"),
        observation("error", LOINC, "1-1", status="entered-in-error"),
        surgery
        | {
            "id": "done",
            "status": "completed",
            "performedPeriod": {"start": "2020-03-06", "end": "2020-03-20"},
        },
        surgery | {"id": "undone", "status": "not-done", "performedDateTime": "2020-03-06"},
        event("event", date="2020-03-07"),
        event("possible", date="2020-03-07", actuality="potential"),
        condition("recorded", recordedDate="2020-03-08", onsetDateTime="2020-03-30"),
        condition("onset", onsetDateTime="2020-03-30"),
        condition("mistake", recordedDate="2020-03-08", **status("entered-in-error")),
        {
            "resourceType": "Specimen",
            "id": "specimen",
            "subject": ref("Patient/p"),
            "receivedTime": "2020-04-30",
        },
    )
    assert rows(con, "clinical.contact", "resource_id, kind, starts_on::varchar, ends_on::varchar") == [
        ("done", "procedure", "2020-03-06", None),
        ("event", "adverse_event", "2020-03-07", None),
        ("given", "drug_exposure", "2020-03-02", None),
        ("handed", "drug_exposure", "2020-03-03", None),
        ("open", "visit", "2020-03-01", None),
        ("recorded", "diagnosis", "2020-03-08", None),
        ("seen", "measurement", "2020-03-04", None),
        ("stay", "visit", "2020-03-01", "2020-03-05"),
        ("vague", "visit", "2020-03-01", None),
    ]


def test_the_order_of_lines_files_and_sites_changes_no_row(tmp_path: Path) -> None:
    sent = [
        patient("p", gender="male", meta={"versionId": "1"}),
        patient("p", gender="female"),
        patient("q", link=[{"other": ref("Patient/p"), "type": "replaced-by"}]),
        observation("o", LOINC, "777-3", valueInteger=1),
        observation("o", LOINC, "777-3", valueInteger=2),
        administration("m", medicationCodeableConcept=CLOFARABINE),
        event("e", date="2020-03-01"),
    ]
    orders = [sent, sent[::-1], sent[3:] + sent[:3]]
    results = []
    for n, ordered in enumerate(orders):
        root = tmp_path / str(n)
        root.mkdir()
        land(root, {"a": {"1.ndjson": ordered[:4], "2.ndjson": ordered[4:]}})
        con = build(root)
        tables = [
            row[0]
            for row in con.execute(
                "select table_name from duckdb_tables() where schema_name = 'clinical'"
            ).fetchall()
        ]
        place = "columns(c -> c not in ('file', 'line', 'person_id'))"
        results.append({name: rows(con, f"clinical.{name}", place) for name in sorted(tables)})
    assert results[0] == results[1] == results[2]


def test_a_second_build_gives_the_same_tables(tmp_path: Path) -> None:
    land(
        tmp_path, {"a": {"1.ndjson": [patient(), administration("m", medicationCodeableConcept=CLOFARABINE)]}}
    )
    first, second = build(tmp_path), build(tmp_path)
    for table, con in product(("clinical.person", "clinical.drug_exposure"), (second,)):
        assert rows(first, table) == rows(con, table)


def test_a_death_observation_whose_value_is_absent_is_no_death(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient(),
        observation("said", SNOMED, "419099009"),
        observation("asked", SNOMED, "419099009", dataAbsentReason={"coding": [{"code": "unknown"}]}),
    )
    assert rows(con, "clinical.death_record", "resource_id") == [("said",)]


def test_sources_of_a_death_that_no_day_satisfies_are_findings(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient(deceasedDateTime="2020-05"),
        observation("agrees", SNOMED, "419099009", "2020-05-31"),
        patient("q", deceasedDateTime="2020-05"),
        {**observation("differs", SNOMED, "419099009", "2020-06-01"), "subject": ref("Patient/q")},
    )
    assert [(kind, id) for kind, id, rule in findings(con) if rule == "death:conflicting-dates"] == [
        ("Observation", "differs"),
        ("Patient", "q"),
    ]


def test_a_code_that_a_map_narrows_is_not_taken_for_the_narrower(tmp_path: Path) -> None:
    narrowing = concept_map((LOCAL, ATC, {"chemo": "L01BB06"}))
    narrowing["group"][0]["element"][0]["target"][0]["equivalence"] = "narrower"
    dose = administration("dose", medicationCodeableConcept=coded(LOCAL, "chemo"))
    con = clinical(tmp_path, patient(), dose, narrowing)
    assert rows(con, "clinical.drug_exposure", "concept") == [(None,)]
    assert "concept-map:narrower-target" in {rule for _, _, rule in findings(con)}
