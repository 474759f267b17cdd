"""`cove pull` from a real FHIR server: afterwards the warehouse holds what the server holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.servers.changes import (
    group_of,
    month_later,
)
from tests.servers.expected import COLUMNS, TYPES, observed_values, of_patients, rows
from tests.servers.hospital import Hospital, Key, Resource, State, synthea_bundles
from tests.servers.warehouse import Home

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.xdist_group("hapi")]

REST = {"source": "rest"}
SYSTEM = {"source": "bulk", "level": "system"}
PATIENT = {"source": "bulk"}
HISTORY = {"deletions": "history"}


@dataclass(frozen=True)
class Pulled:
    """A way to pull, and whose records it reaches: everybody's and everything when `patients` is None."""

    keys: Mapping[str, Any]
    patients: set[str] | None

    def of(self, state: State) -> dict[Key, Resource]:
        return state.current if self.patients is None else of_patients(state, self.patients)


def patients_of(hospital: Hospital) -> list[str]:
    return sorted(patient["id"] for patient in hospital.search("Patient"))


def way(hospital: Hospital, name: str) -> Pulled:
    """A way to pull by the test's name for it, made for the patients who are there now."""
    patients = patients_of(hospital)
    match name:
        case "rest":
            return Pulled(REST, None)
        case "system":
            return Pulled(SYSTEM, None)
        case "patient":
            return Pulled(PATIENT, set(patients))
        case _:
            members = patients[:5]
            return Pulled({**PATIENT, "group": group_of(hospital, members)}, set(members))


def assert_same(home: Home, expected: Mapping[Key, Resource]) -> None:
    """Resource by resource, version by version, and as the views map them."""
    current = home.current()
    assert set(current) == set(expected)
    assert {key for key in expected if current[key] != expected[key]} == set()
    for view, (_, columns) in COLUMNS.items():
        assert home.mapped(view, columns) == rows(expected, view), view
    values = "select resource_id, value_number from current.observation where component = 0"
    assert set(home.query(values)) == observed_values(expected)
    assert home.fates() == set()


def assert_versions(home: Home, hospital: Hospital) -> None:
    """Each version that was received is, byte for number, what the server's history has under it."""
    received = home.versions()
    kinds = {kind for kind, _, _ in received}
    history = {key: each for kind in kinds for key, each in hospital.versions(kind).items()}
    assert set(received) <= set(history)
    assert {key for key, resource in received.items() if resource != history[key]} == set()


def test_server_holds_what_the_bundles_hold(hospital: Hospital) -> None:
    sent = Counter(e["resource"]["resourceType"] for bundle in synthea_bundles() for e in bundle["entry"])
    state = hospital.state(["Procedure", "MedicationRequest", "Immunization"])
    there = Counter(kind for kind, _ in state.current)
    assert there["Immunization"] >= sent["Immunization"] > 0
    assert there["Procedure"] >= sent["Procedure"] > 0
    assert there["MedicationRequest"] >= sent["MedicationRequest"] > 0


@pytest.mark.parametrize("name", ["rest", "system", "patient", "group"])
def test_warehouse_equals_server_after_first_pull_and_after_changes(
    hospital: Hospital, home: Home, name: str
) -> None:
    pulled = way(hospital, name)
    before = hospital.state(TYPES)
    home.configure(**pulled.keys, **HISTORY, url=hospital.base)
    home.take()
    assert_same(home, pulled.of(before))

    month_later(hospital, patients_of(hospital))
    after = hospital.state(TYPES)
    if name == "patient":
        pulled = Pulled(pulled.keys, set(patients_of(hospital)))
    assert pulled.of(after) != pulled.of(before)
    home.take()
    assert_same(home, pulled.of(after))
    assert_versions(home, hospital)
    assert after.deleted - before.deleted <= home.deleted()
