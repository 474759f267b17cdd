"""The untidy hospital: older versions, copies, a merged patient, and references of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

from demo.history import History
from demo.hospitals.dialect import Dialect, Resource
from demo.hospitals.records import person_id

FIRST, SECOND = "2021-03-01T09:00:00+09:00", "2021-04-01T09:00:00+09:00"


def untidy(resources: list[Resource], history: History, dialect: Dialect, base: str) -> list[Resource]:
    """The same facts, sent less tidily; the current versions say what the resources said."""
    patient, *others = [_versioned(resource, "2", SECOND) for resource in resources]
    former = f"{person_id(history)}-former"
    references = cycle(_references(patient, former, base, dialect, history))
    for resource in others:
        if "subject" in resource:
            resource["subject"] = next(references)
    older = {**_versioned(patient, "1", FIRST), "birthDate": "1999-01-01"}
    merged = {
        "resourceType": "Patient",
        "id": former,
        "meta": patient["meta"],
        "link": [{"type": "replaced-by", "other": {"reference": f"Patient/{patient['id']}"}}],
    }
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
    # The newer version comes before the older, and every tenth resource twice.
    return [patient, older, merged, *others, *others[::10], outcome]


def _references(
    patient: Resource, former: str, base: str, dialect: Dialect, history: History
) -> Iterator[dict[str, Any]]:
    number = patient["identifier"][0]
    yield {"reference": f"Patient/{patient['id']}"}
    yield {"reference": f"{base}/Patient/{patient['id']}"}
    yield {"reference": f"Patient?identifier={number['system']}|{number['value']}"}
    yield {"type": "Patient", "identifier": number}
    yield {"reference": f"Patient/{former}"}


def _versioned(resource: Resource, version: str, updated: str) -> Resource:
    return {**resource, "meta": {**resource["meta"], "versionId": version, "lastUpdated": updated}}
