"""A hospital's resources: every version with its instant, deletions among them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from tests.pulling.wire import instant

# Values that must never be seen outside of the landing zone.
FAMILY = "Qwyxzecki"
BORN = "1931-07-23"
PATIENT_VALUES = (FAMILY, BORN)

FIRST_DAY = dt.datetime(2026, 1, 5, 8, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Version:
    """A version of a resource; `content` is None where it is the deletion."""

    type: str
    id: str
    number: int
    at: dt.datetime
    content: dict[str, Any] | None


@dataclass
class Hospital:
    """All versions, in the order in which they came to be."""

    versions: list[Version] = field(default_factory=list)

    def put(self, type: str, id: str, at: dt.datetime, **fields: Any) -> Version:
        """A new version of the resource."""
        number = 1 + sum((known.type, known.id) == (type, id) for known in self.versions)
        meta = {"versionId": str(number), "lastUpdated": instant(at)}
        version = Version(type, id, number, at, {"resourceType": type, "id": id, "meta": meta, **fields})
        self.versions.append(version)
        return version

    def delete(self, type: str, id: str, at: dt.datetime) -> None:
        """The resource's deletion."""
        number = 1 + sum((known.type, known.id) == (type, id) for known in self.versions)
        self.versions.append(Version(type, id, number, at, None))

    def newest(self, until: dt.datetime) -> list[Version]:
        """The newest version of each resource at an instant, in the order of the first ones; deletions too."""
        found: dict[tuple[str, str], Version] = {}
        for version in self.versions:
            if version.at <= until:
                found[version.type, version.id] = version
        return list(found.values())

    def current(self, until: dt.datetime) -> list[Version]:
        """The newest version of each resource that is there."""
        return [version for version in self.newest(until) if version.content is not None]


def person(hospital: Hospital, id: str, at: dt.datetime, **fields: Any) -> Version:
    """A patient with values that must not leak."""
    return hospital.put(
        "Patient", id, at, **{"name": [{"family": FAMILY}], "birthDate": BORN, "gender": "female", **fields}
    )


def measured(hospital: Hospital, id: str, patient: str, value: float, at: dt.datetime) -> Version:
    """A blood count of a patient."""
    return hospital.put(
        "Observation",
        id,
        at,
        status="final",
        code={"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
        subject={"reference": f"Patient/{patient}"},
        effectiveDateTime="2026-01-04T08:00:00+00:00",
        valueQuantity={
            "value": value,
            "unit": "10*9/L",
            "system": "http://unitsofmeasure.org",
            "code": "10*9/L",
        },
    )


def small_hospital(patients: int = 6, observations: int = 30) -> Hospital:
    """A hospital of a few patients, with their counts spread over them."""
    hospital = Hospital()
    for n in range(patients):
        person(hospital, f"p{n}", FIRST_DAY + dt.timedelta(minutes=n))
    for n in range(observations):
        measured(
            hospital, f"o{n}", f"p{n % patients}", 100.0 + n, FIRST_DAY + dt.timedelta(hours=1, minutes=n)
        )
    return hospital
