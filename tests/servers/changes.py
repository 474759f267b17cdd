"""What happens at a hospital between two pulls."""

from __future__ import annotations

import copy
import json
import uuid
from decimal import Decimal

from tests.servers.hospital import Hospital, Resource, synthea_bundles

DRUGS = ("clofarabine", "cytarabine", "fludarabine")


def add_medications(hospital: Hospital) -> None:
    """Three Medications, two of them with doses for two patients each; the third is nobody's."""
    for drug, patients in zip(DRUGS, (_patients(hospital)[:2], _patients(hospital)[2:4], []), strict=True):
        medication = hospital.create({"resourceType": "Medication", "code": {"text": drug}})
        for patient in patients:
            hospital.create(dose_of(medication, patient))


def dose_of(medication: str, patient: str) -> Resource:
    """A MedicationAdministration that names its drug by reference."""
    return {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationReference": {"reference": f"Medication/{medication}"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2020-03-01T10:00:00+09:00",
    }


def group_of(hospital: Hospital, patients: list[str]) -> str:
    """Makes a Group of these Patients, and returns its id."""
    members = [{"entity": {"reference": f"Patient/{patient}"}} for patient in patients]
    group = {"resourceType": "Group", "type": "person", "actual": True, "active": True, "member": members}
    return hospital.create(group)


def with_members(hospital: Hospital, group: str, patients: list[str]) -> Resource:
    """The Group with other members, as it would be sent."""
    members = [{"entity": {"reference": f"Patient/{patient}"}} for patient in patients]
    return {**next(iter(hospital.search("Group", _id=group))), "member": members}


def month_later(hospital: Hospital, patients: list[str]) -> None:
    """Among these Patients: corrected values, a late death, records taken back, a new dose, a new patient."""
    first, second, *_ = patients
    correct_values(hospital, first)
    patient = next(iter(hospital.search("Patient", _id=second)))
    hospital.update({**patient, "deceasedDateTime": "2021-01-31T23:30:00+09:00"})
    take_back(hospital, first)
    drug = hospital.create({"resourceType": "Medication", "code": {"text": "a drug not met before"}})
    hospital.create(dose_of(drug, first))
    new_patient(hospital)


def correct_values(hospital: Hospital, patient: str) -> None:
    """Gives three Observations of the patient another value; the first of them twice."""
    measured = [o for o in hospital.search("Observation", patient=patient) if "valueQuantity" in o][:3]
    for step, observation in enumerate([measured[0], *measured], start=1):
        # Always another value: a server makes no version of an update that changes nothing.
        value = Decimal(observation["valueQuantity"]["value"]) + step * Decimal("0.10")
        quantity = {**observation["valueQuantity"], "value": value}
        hospital.update({**observation, "status": "corrected", "valueQuantity": quantity})


def take_back(hospital: Hospital, patient: str) -> list[str]:
    """Deletes two Observations of the patient that nothing refers to; their ids."""
    reported = {
        result["reference"]
        for report in hospital.search("DiagnosticReport", patient=patient)
        for result in report.get("result", [])
    }
    free = [
        o for o in hospital.search("Observation", patient=patient) if f"Observation/{o['id']}" not in reported
    ]
    ids = [observation["id"] for observation in free[-2:]]
    for id_ in ids:
        hospital.delete("Observation", id_)
    return ids


def new_patient(hospital: Hospital) -> str:
    """Somebody whose records are those of a patient who is there already; the new Patient's id."""
    bundle = min((b for b in synthea_bundles() if _is_patients(b)), key=lambda b: len(b["entry"]))
    made = hospital.transaction(_renamed(bundle))
    return next(id_ for kind, id_ in made if kind == "Patient")


def _patients(hospital: Hospital) -> list[str]:
    return sorted(patient["id"] for patient in hospital.search("Patient"))


def _is_patients(bundle: Resource) -> bool:
    return any(entry["resource"]["resourceType"] == "Patient" for entry in bundle["entry"])


def _renamed(bundle: Resource) -> Resource:
    """The same bundle under new `urn:uuid` names, so that its resources are new ones."""
    text = json.dumps(copy.deepcopy(bundle))
    for entry in bundle["entry"]:
        text = text.replace(entry["fullUrl"], uuid.uuid4().urn)
    renamed: Resource = json.loads(text)
    return renamed
