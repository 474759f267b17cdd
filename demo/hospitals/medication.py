"""Doses as a hospital records them: given, dispensed, stated or ordered; the drug coded here, there or within."""

from __future__ import annotations

from collections.abc import Iterator

from demo.history import Dose, History
from demo.hospitals.dialect import Dialect, Resource, tagged

GIVEN = {
    "MedicationAdministration": "completed",
    "MedicationDispense": "completed",
    "MedicationStatement": "completed",
    "MedicationRequest": "completed",
}
NOT_GIVEN = {
    "MedicationAdministration": "not-done",
    "MedicationDispense": "cancelled",
    "MedicationStatement": "not-taken",
    "MedicationRequest": "cancelled",
}


def drug_records(history: History, dialect: Dialect, subject: Resource) -> Iterator[Resource]:
    """One resource a dose. What is withheld is an order that says: don't."""
    for number, dose in enumerate(history.doses, 1):
        identity = f"p{history.person:03d}-med{number}"
        if dose.outcome == "withheld":
            yield _record("MedicationRequest", identity, dose, dialect, subject, doNotPerform=True)
        else:
            yield _record(dialect.exposure, identity, dose, dialect, subject)


def medications(drugs: list[str], dialect: Dialect) -> list[Resource]:
    """The Medication resources that records and suspects refer to."""
    return [medication(drug, drug, dialect) for drug in sorted(drugs)]


def medication(identity: str, drug: str, dialect: Dialect) -> Resource:
    """A product, coded as such or by its ingredient only."""
    if dialect.drug_as != "ingredient":
        return tagged("Medication", identity, code=dialect.concept(drug))
    item = "item" if dialect.is_r5 else "itemCodeableConcept"
    concept = {"concept": dialect.concept(drug)} if dialect.is_r5 else dialect.concept(drug)
    return tagged("Medication", identity, code={"text": "product"}, ingredient=[{item: concept}])


def _record(
    kind: str, identity: str, dose: Dose, dialect: Dialect, subject: Resource, **more: object
) -> Resource:
    statuses = NOT_GIVEN if dose.outcome == "cancelled" else GIVEN
    status = statuses[kind]
    if kind == "MedicationStatement" and dialect.is_r5:
        status = "recorded"
    if more:
        status = "active"
    return tagged(
        kind,
        identity,
        status=status,
        subject=subject,
        **_drug(dose, dialect),
        **_when(kind, dose, dialect),
        **more,
    )


def _drug(dose: Dose, dialect: Dialect) -> Resource:
    if dialect.drug_as == "contained":
        inside = medication("drug", dose.drug, dialect)
        del inside["meta"]
        return {"contained": [inside], "medicationReference": {"reference": "#drug"}}
    if dialect.drug_as in ("reference", "ingredient"):
        reference = {"reference": f"Medication/{dose.drug}"}
        return (
            {"medication": {"reference": reference}} if dialect.is_r5 else {"medicationReference": reference}
        )
    concept = dialect.concept(dose.drug)
    return {"medication": {"concept": concept}} if dialect.is_r5 else {"medicationCodeableConcept": concept}


def _when(kind: str, dose: Dose, dialect: Dialect) -> Resource:
    at = dialect.time(dose.on, dose.hour)
    match kind:
        case "MedicationAdministration":
            return {"occurenceDateTime" if dialect.is_r5 else "effectiveDateTime": at}
        case "MedicationDispense":
            return {"whenHandedOver": at}
        case "MedicationStatement":
            return {"effectivePeriod": {"start": at, "end": at}}
        case _:
            return {"intent": "order", "authoredOn": at}
