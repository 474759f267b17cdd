"""Codes, units and shapes of several countries and versions of FHIR. By hand from sources.md and clinical.md §8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.hospitals.builder import (
    ANC,
    ATC,
    CLOFARABINE,
    EDI,
    ETOPOSIDE,
    ITEM,
    KCD,
    LOINC,
    MARROW,
    PLATELETS,
    SNOMED,
    Resource,
    complete,
    concept,
    day,
    given,
    leukaemia,
    measured,
    observed,
    person,
    platelets,
    run,
    transplant,
    treated,
)

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"


def mapping(
    target: str, codes: dict[str, str], relation: dict[str, str] | None = None, **fields: Any
) -> Resource:
    """A ConceptMap from the hospital's own codes, `urn:own`."""
    how = relation or {"equivalence": "equivalent"}
    elements = [{"code": one, "target": [{"code": other, **how}]} for one, other in codes.items()]
    group = {"source": "urn:own", "target": target, "element": elements}
    name = f"map-{'-'.join(codes)}"
    return {"resourceType": "ConceptMap", "id": name, "status": "active", "group": [group]} | fields


def own(on: int, code: str, **value: Any) -> Resource:
    return observed(on, "urn:own", code, **value)


def count(value: float, unit: str) -> Resource:
    return {"valueQuantity": {"value": value, "unit": unit}}


ITEMS = {
    "RF": "refractory",
    "PR": "prior-regimens",
    "RESP": "investigator-response",
    "REL": "disease-relapse",
}

MAPPED: list[Resource] = [
    mapping(ITEM, ITEMS),
    mapping("urn:cove:response", {"remission": "CR"}),
    mapping(LOINC, {"BM": MARROW, "NE": ANC, "PL": PLATELETS}),
    mapping(ATC, {"CLO": CLOFARABINE}),
    *person(
        "mapped",
        leukaemia(),
        given(medicationCodeableConcept=concept("urn:own", "CLO")),
        own(-1, "RF", valueBoolean=True),
        own(-1, "PR", valueInteger=3),
        own(30, "RESP", valueCodeableConcept=concept("urn:own", "remission")),
        own(30, "BM", **count(2, "%")),
        own(30, "NE", **count(2, "K/uL")),
        own(30, "PL", **count(150, "K/uL")),
        own(40, "REL", valueBoolean=True),
    ),
]
R5: list[Resource] = [
    {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [{"item": {"concept": concept(ATC, CLOFARABINE)}}],
    },
    *person(
        "r5",
        leukaemia(),
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "authoredOn": day(0),
            "medication": {"reference": {"reference": "Medication/m"}},
        },
        {
            "resourceType": "MedicationDispense",
            "status": "completed",
            "whenHandedOver": day(1),
            "medication": {"concept": concept(ATC, ETOPOSIDE)},
        },
        {
            "resourceType": "Procedure",
            "status": "completed",
            "code": concept(SNOMED, "23719005"),
            "occurrencePeriod": {"start": day(60), "end": day(61)},
        },
        {
            "resourceType": "Encounter",
            "status": "discharged",
            "class": [concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IMP")],
            "actualPeriod": {"start": day(60), "end": day(90)},
        },
        complete(30),
    ),
]
KOREA: list[Resource] = [
    {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [{"itemCodeableConcept": concept(ATC, CLOFARABINE)}],
    },
    *person(
        "korea",
        leukaemia(code=concept(KCD, "C91.0")),
        {
            "resourceType": "MedicationRequest",
            "status": "completed",
            "intent": "order",
            "authoredOn": day(0, "T10:00:00+09:00"),
            "medicationReference": {"reference": "Medication/m"},
        },
        {
            **observed(day(30, "T07:00:00+09:00"), EDI, "D0002"),
            "component": [{"code": concept(EDI, "D0002070"), **count(150, "10*3/uL")}],
        },
        complete(30)[:2],
    ),
]
MCODE = person(
    "mcode",
    leukaemia(
        code={
            "coding": [
                {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C91.02"},
                {"system": SNOMED, "code": "277571004"},
            ]
        }
    ),
    given(medicationCodeableConcept=concept(RXNORM, "486417")),
    observed(30, LOINC, "97509-4", valueCodeableConcept=concept(SNOMED, "103338009")),
    {**transplant(60), "code": concept(ICD10_PCS, "30243Y3")},
)
MIX: list[Resource] = [
    {
        "resourceType": "Medication",
        "id": "mix",
        "contained": [{"resourceType": "Medication", "id": "in", "code": concept(ATC, CLOFARABINE)}],
        "ingredient": [
            {"itemReference": {"reference": "#in"}},
            {"itemReference": {"reference": "Medication/e"}},
        ],
    },
    {"resourceType": "Medication", "id": "e", "code": concept(ATC, ETOPOSIDE)},
    *person(
        "mix",
        leukaemia(),
        {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "effectiveDateTime": day(0),
            "medicationReference": {"reference": "Medication/mix"},
        },
    ),
]


def test_each_shape_of_hospital_tells_the_same_kinds_of_things(tmp_path: Path) -> None:
    outcome = run(tmp_path, mapped=MAPPED, r5=R5, korea=KOREA, mcode=MCODE, mix=MIX)
    assert outcome.each(
        "cohort", "evidence_level, regimen, phenotype, prior_regimens, refractory, has_comparing_event"
    ) == {
        "mapped": ("administered", "monotherapy", "unknown", 3, "yes", False),
        "r5": ("ordered", "combination", "unknown", None, "missing", True),
        "korea": ("ordered", "monotherapy", "unknown", None, "missing", False),
        "mcode": ("administered", "monotherapy", "B-cell", None, "missing", True),
        "mix": ("administered", "combination", "unknown", None, "missing", False),
    }
    assert outcome.each("response", "best_response, investigator_response") == {
        "mapped": ("CR", "CR"),
        "r5": ("CR", None),
        "korea": ("CR", None),
        "mcode": ("NE", None),
        "mix": ("NE", None),
    }
    remissions = outcome.each("endpoint", "days, status", "endpoint = 'duration_of_remission'")
    assert remissions == {"mapped": (10, 1), "r5": (0, 0), "korea": (0, 0)}
    assert outcome.counts("exposure.evidence") == {"administered": 3, "ordered": 2}


# how the site's code relates to the drug's → whether it is one
RELATIONS = {
    "equivalent": ({"equivalence": "equivalent"}, True),
    "equal": ({"equivalence": "equal"}, True),
    "relationship": ({"relationship": "equivalent"}, True),
    "unmatched": ({"equivalence": "unmatched"}, False),
    "disjoint": ({"equivalence": "disjoint"}, False),
    "not-related": ({"relationship": "not-related-to"}, False),
}


def test_a_concept_map_maps_only_the_codes_of_its_site_and_what_is_the_same(tmp_path: Path) -> None:
    records = person("p", leukaemia(), given(medicationCodeableConcept=concept("urn:own", "CLO")))
    sites: dict[str, Any] = {
        name: [mapping(ATC, {"CLO": CLOFARABINE}, relation), *records]
        for name, (relation, _) in RELATIONS.items()
    }
    versioned = mapping(ATC, {"CLO": CLOFARABINE})
    versioned["group"][0] |= {"source": "urn:own|1.0", "target": f"{ATC}|2024"}
    outcome = run(tmp_path, **sites, versioned=[versioned, *records], none=records)
    treated_at = {
        name: outcome.value("attrition", "n", "treated", group=f"site={name}") == 1
        for name in (*RELATIONS, "versioned", "none")
    }
    assert treated_at == {name: counts for name, (_, counts) in RELATIONS.items()} | {
        "versioned": True,
        "none": False,
    }


BILIRUBIN, CREATININE, LOW_PLATELETS = (
    "Blood bilirubin increased",
    "Creatinine increased",
    "Platelet count decreased",
)


def limit(side: str, value: float, unit: str | None) -> Resource:
    return {"referenceRange": [{side: {"value": value} | ({"unit": unit} if unit else {})}]}


# values → term and grade. 1.8 is 1.5 times 1.2 exactly; 1 mg/dL of creatinine is 88.4 µmol/L.
LIMITS = {
    "bilirubin-1.5": ({**measured(5, "1975-2", 1.8, "mg/dL"), **limit("high", 1.2, "mg/dL")}, (BILIRUBIN, 1)),
    "bilirubin-1.51": (
        {**measured(5, "1975-2", 1.81, "mg/dL"), **limit("high", 1.2, "mg/dL")},
        (BILIRUBIN, 2),
    ),
    "bilirubin-3": ({**measured(5, "1975-2", 3.6, "mg/dL"), **limit("high", 1.2, "mg/dL")}, (BILIRUBIN, 2)),
    "bilirubin-10": ({**measured(5, "14631-6", 210, "umol/L")}, (BILIRUBIN, 3)),
    "creatinine": ({**measured(5, "2160-0", 1.36, "mg/dL")}, (CREATININE, 2)),
    "other-unit": ({**platelets(5, 145000, "/uL"), **limit("low", 140, "10*9/L")}, (LOW_PLATELETS, 0)),
    "no-unit": ({**platelets(5, 145), **limit("low", 140, None)}, (LOW_PLATELETS, 0)),
    "text-only": ({**platelets(5, 145), "referenceRange": [{"text": "140-400"}]}, (LOW_PLATELETS, 1)),
    "component": (
        {
            **observed(5, EDI, "D0002"),
            **limit("low", 1, "10*3/uL"),
            "component": [
                {"code": concept(EDI, "D0002070"), **count(145, "10*3/uL"), **limit("low", 140, "10*3/uL")}
            ],
        },
        (LOW_PLATELETS, 0),
    ),
}


def test_normal_limits_are_the_sources_in_whatever_unit(tmp_path: Path) -> None:
    people = [one for name, (record, _) in LIMITS.items() for one in treated(name, record)]
    outcome = run(tmp_path, a=people)
    grades = outcome.each("lab_grade", "term, worst_grade")
    assert grades == {name: wanted for name, (_, wanted) in LIMITS.items()}
