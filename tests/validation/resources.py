"""A right resource of each type that is validated in full, in R4B and in R5."""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]

SUBJECT = {"reference": "Patient/p1"}
CODE = {"coding": [{"system": "urn:codes", "code": "1", "display": "one"}], "text": "one"}
DOSE = {"value": 50.5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
META = {"versionId": "2", "lastUpdated": "2020-03-02T08:00:00.123+09:00", "profile": ["urn:a:profile"]}

# The same in both versions.
COMMON: dict[str, Resource] = {
    "Patient": {
        "gender": "female",
        "birthDate": "2010-03",
        "name": [{"use": "official", "family": "A", "given": ["B", None], "_given": [None, {"id": "g"}]}],
        "telecom": [{"system": "phone", "value": "1", "use": "home"}],
        "link": [{"other": {"reference": "Patient/p2"}, "type": "seealso"}],
        "deceasedDateTime": "2021-01-01T10:00:00Z",
    },
    "Observation": {
        "status": "final",
        "category": [CODE],
        "code": CODE,
        "subject": SUBJECT,
        "effectivePeriod": {"start": "2020-03-01", "end": "2020-03-02T10:00:00Z"},
        "component": [
            {"code": CODE, "valueQuantity": {"value": 1.50, "comparator": "<", "unit": "g"}},
            {"code": CODE, "dataAbsentReason": CODE},
        ],
        "extension": [{"url": "urn:e", "extension": [{"url": "i", "valueString": "x"}]}],
    },
    "Condition": {
        "clinicalStatus": CODE,
        "code": CODE,
        "subject": SUBJECT,
        "onsetDateTime": "2020",
        "abatementDateTime": "2020-02-10",
    },
    "Medication": {"code": CODE, "status": "active"},
}
R4B: dict[str, Resource] = COMMON | {
    "Encounter": {
        "status": "entered-in-error",
        "class": {"code": "IMP"},
        "subject": SUBJECT,
        "period": {"start": "2020-03-01T10:00:00Z", "end": "2020-03"},
        "statusHistory": [{"status": "unknown", "period": {"start": "2020"}}],
    },
    "Procedure": {"status": "completed", "code": CODE, "subject": SUBJECT, "performedDateTime": "2020-03-01"},
    "MedicationAdministration": {
        "status": "completed",
        "medicationReference": {"reference": "#m"},
        "contained": [{"resourceType": "Medication", "id": "m", "code": CODE, "status": "active"}],
        "subject": SUBJECT,
        "effectiveDateTime": "2020-03-01",
        "dosage": {"dose": DOSE, "rateRatio": {"numerator": DOSE, "denominator": {"value": 1, "unit": "h"}}},
    },
    "MedicationRequest": {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": CODE,
        "subject": SUBJECT,
        "dosageInstruction": [
            {
                "doseAndRate": [{"doseQuantity": DOSE}],
                "maxDosePerPeriod": {"numerator": DOSE, "denominator": {"value": 1, "unit": "d"}},
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon"]}},
            }
        ],
        "dispenseRequest": {"quantity": DOSE},
    },
    "MedicationDispense": {
        "status": "completed",
        "medicationCodeableConcept": CODE,
        "subject": SUBJECT,
        "quantity": DOSE,
        "whenPrepared": "2020-03-01",
        "whenHandedOver": "2020-03-01T08:00:00+09:00",
    },
    "MedicationStatement": {
        "status": "active",
        "medicationCodeableConcept": CODE,
        "subject": SUBJECT,
        "dosage": [{"doseAndRate": [{"doseRange": {"low": DOSE, "high": DOSE}}]}],
    },
    "AdverseEvent": {
        "actuality": "actual",
        "event": CODE,
        "subject": SUBJECT,
        "detected": "2020-03-01",
        "recordedDate": "2020-03-01T00:00:00Z",
    },
}
R5: dict[str, Resource] = COMMON | {
    "Condition": COMMON["Condition"],
    "Encounter": {
        "status": "completed",
        "class": [{"coding": [{"code": "IMP"}]}],
        "subject": SUBJECT,
        "actualPeriod": {"start": "2020-03-01T10:00:00Z", "end": "2020-03-01T10:00:00Z"},
    },
    "Procedure": {
        "status": "completed",
        "code": CODE,
        "subject": SUBJECT,
        "occurrenceDateTime": "2020-03-01",
    },
    "MedicationAdministration": {
        "status": "completed",
        "medication": {"concept": CODE},
        "subject": SUBJECT,
        "occurrenceDateTime": "2020-03-01",
        "dosage": {"dose": DOSE},
    },
    "MedicationRequest": {
        "status": "active",
        "intent": "order",
        "medication": {"concept": CODE},
        "subject": SUBJECT,
        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": DOSE}]}],
    },
    "MedicationDispense": {
        "status": "completed",
        "medication": {"reference": {"reference": "Medication/m"}},
        "subject": SUBJECT,
        "quantity": DOSE,
    },
    "MedicationStatement": {"status": "recorded", "medication": {"concept": CODE}, "subject": SUBJECT},
    "AdverseEvent": {"status": "completed", "actuality": "actual", "code": CODE, "subject": SUBJECT},
}
RIGHT = {"R4B": R4B, "R5": R5}


def right(version: str, kind: str, **fields: Any) -> Resource:
    """A right resource, with other values for some fields; None takes a field away."""
    made = {"resourceType": kind, "id": "a", "meta": META} | RIGHT[version][kind] | fields
    return {name: value for name, value in made.items() if value is not None}
