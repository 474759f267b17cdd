"""What the warehouse must hold of a server's state: which resources a pull reaches, and their mapped values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.servers.hospital import Key, Resource, State
from tests.servers.warehouse import Value

# Every type that a view takes; all but Medication are in the patient compartment.
TYPES = (
    "AdverseEvent",
    "Condition",
    "Encounter",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Patient",
    "Procedure",
)
OUTSIDE_COMPARTMENT = {"Medication"}

Column = Callable[[Resource], Value]


def of_patients(state: State, patients: set[str]) -> dict[Key, Resource]:
    """What a Patient or Group export gives for these Patients' ids, with the Medications that it refers to."""
    inside = {
        key: resource
        for key, resource in state.current.items()
        if key[0] not in OUTSIDE_COMPARTMENT and _patient(resource) in patients
    }
    means = {reference for resource in inside.values() if (reference := _medication(resource))}
    return inside | {key: each for key, each in state.current.items() if "/".join(key) in means}


def _patient(resource: Resource) -> str | None:
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    subject = resource.get("subject") or resource.get("patient") or {}
    return str(subject.get("reference", "")).removeprefix("Patient/") or None


def _medication(resource: Resource) -> str | None:
    reference = resource.get("medicationReference", {}).get("reference")
    return str(reference) if reference else None


def _subject(resource: Resource) -> Value:
    return resource["subject"]["reference"] if "subject" in resource else None


def _field(name: str) -> Column:
    return lambda resource: resource.get(name)


def _quantity(resource: Resource) -> Value:
    value = resource.get("valueQuantity", {}).get("value")
    return None if value is None else float(value)


# Columns with one value a resource, written down from what FHIR says of the field.
COLUMNS: Mapping[str, tuple[str, Mapping[str, Column]]] = {
    "patient": (
        "Patient",
        {
            "gender": _field("gender"),
            "birth_date": _field("birthDate"),
            "deceased_datetime": _field("deceasedDateTime"),
        },
    ),
    "condition": ("Condition", {"patient_key": _subject, "recorded_date": _field("recordedDate")}),
    "encounter": (
        "Encounter",
        {
            "status": _field("status"),
            "patient_key": _subject,
            "period_start": lambda resource: resource.get("period", {}).get("start"),
        },
    ),
    "medication_request": (
        "MedicationRequest",
        {
            "status": _field("status"),
            "patient_key": _subject,
            "medication_key": _medication,
            "authored_on": _field("authoredOn"),
        },
    ),
    "observation": (
        "Observation",
        {
            "status": _field("status"),
            "patient_key": _subject,
            "effective_datetime": _field("effectiveDateTime"),
        },
    ),
}


def observed_values(current: Mapping[Key, Resource]) -> set[tuple[Value, ...]]:
    """Id and number of each Observation's own value."""
    return {(key[1], _quantity(each)) for key, each in current.items() if key[0] == "Observation"}


def rows(current: Mapping[Key, Resource], view: str) -> set[tuple[Value, ...]]:
    """The rows that `Home.mapped` must give of these resources: the id, then the view's columns above."""
    kind, columns = COLUMNS[view]
    resources = [resource for key, resource in current.items() if key[0] == kind]
    return {(each["id"], *(column(each) for column in columns.values())) for each in resources}
