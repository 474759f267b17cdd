"""Later pulls from a real FHIR server: only what changed is asked for, and deletions are believed as configured."""

from __future__ import annotations

import pytest

from tests.servers.changes import correct_values, group_of, take_back, with_members
from tests.servers.expected import TYPES, of_patients
from tests.servers.hospital import Hospital
from tests.servers.test_hapi import REST, SYSTEM, assert_same, assert_versions, patients_of
from tests.servers.warehouse import Home

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.xdist_group("hapi")]

INCREMENTAL = pytest.mark.parametrize("source", [REST, SYSTEM], ids=["rest", "system"])


@INCREMENTAL
def test_later_pull_asks_only_for_what_changed(
    hospital: Hospital, home: Home, source: dict[str, str]
) -> None:
    home.configure(**source, url=hospital.base, deletions="history")
    home.take()
    everything = home.received()
    correct_values(hospital, patients_of(hospital)[0])
    home.take()
    # Three Observations changed; what the server stamped in the first pull's last moments may come once more.
    assert 3 <= home.received() - everything < everything / 10
    assert_same(home, hospital.state(TYPES).current)


@INCREMENTAL
def test_pull_without_changes_changes_nothing(hospital: Hospital, home: Home, source: dict[str, str]) -> None:
    home.configure(**source, url=hospital.base, deletions="history")
    home.take()
    versions, current = home.versions(), home.current()
    home.take()
    assert home.versions() == versions
    assert home.current() == current


@INCREMENTAL
def test_full_pull_after_changes_equals_server(
    hospital: Hospital, home: Home, source: dict[str, str]
) -> None:
    home.configure(**source, url=hospital.base, deletions="history")
    home.pull()
    patient = patients_of(hospital)[1]
    correct_values(hospital, patient)
    take_back(hospital, patient)
    home.take("--full")
    assert_same(home, hospital.state(TYPES).current)


@INCREMENTAL
def test_resource_put_back_after_its_deletion_is_current(
    hospital: Hospital, home: Home, source: dict[str, str]
) -> None:
    # HAPI's history tells of the deletion without a time, below the newer version.
    home.configure(**source, url=hospital.base, deletions="history")
    home.pull()
    before = hospital.state(["Observation"])
    id_, other = take_back(hospital, patients_of(hospital)[2])
    hospital.update(before.current["Observation", id_])
    home.take()
    current = home.current()
    assert ("Observation", id_) in current
    assert ("Observation", other) not in current
    assert_same(home, hospital.state(TYPES).current)
    hospital.update(before.current["Observation", other])
    home.take()
    assert_same(home, hospital.state(TYPES).current)
    assert_versions(home, hospital)


def test_deletions_are_not_seen_where_they_are_not_asked_for(hospital: Hospital, home: Home) -> None:
    home.configure(**REST, url=hospital.base, deletions="none")
    home.pull()
    gone = take_back(hospital, patients_of(hospital)[3])
    home.take()
    assert {("Observation", id_) for id_ in gone} <= set(home.current())


@INCREMENTAL
def test_history_brings_no_type_that_is_not_asked_for(
    hospital: Hospital, home: Home, source: dict[str, str]
) -> None:
    # The history of the whole server tells of changes to every type, and of the files that exports wrote.
    home.configure(**source, url=hospital.base, deletions="history", types=["Patient", "Condition"])
    home.pull()
    correct_values(hospital, patients_of(hospital)[0])
    home.take()
    assert_same(home, hospital.state(["Patient", "Condition"]).current)


@INCREMENTAL
def test_full_pull_is_the_whole_truth_with_snapshot(
    hospital: Hospital, home: Home, source: dict[str, str]
) -> None:
    home.configure(**source, url=hospital.base, deletions="snapshot")
    home.pull()
    take_back(hospital, patients_of(hospital)[4])
    home.take("--full")
    assert_same(home, hospital.state(TYPES).current)


@INCREMENTAL
def test_type_asked_for_later_is_pulled_from_its_beginning(
    hospital: Hospital, home: Home, source: dict[str, str]
) -> None:
    home.configure(**source, url=hospital.base, deletions="history", types=["Patient", "Condition"])
    home.pull()
    home.configure(
        **source, url=hospital.base, deletions="history", types=["Patient", "Condition", "Procedure"]
    )
    home.take()
    assert_same(home, hospital.state(["Patient", "Condition", "Procedure"]).current)


def test_small_pages_and_includes_give_each_resource_once(hospital: Hospital, home: Home) -> None:
    # With _include HAPI gives no total, and the same Patient on several pages.
    include = ["MedicationAdministration:patient", "MedicationAdministration:medication"]
    types = ["MedicationAdministration"]
    home.configure(**REST, url=hospital.base, types=types, include=include, count=2)
    home.take()
    state = hospital.state(["MedicationAdministration", "Medication", "Patient"])
    doses = state.of("MedicationAdministration")
    meant = {dose["subject"]["reference"] for dose in doses} | {
        dose["medicationReference"]["reference"] for dose in doses
    }
    expected = {
        key: each
        for key, each in state.current.items()
        if key[0] == "MedicationAdministration" or "/".join(key) in meant
    }
    assert home.current() == expected


@INCREMENTAL
def test_pull_after_a_killed_one_equals_server(
    hospital: Hospital, home: Home, source: dict[str, str]
) -> None:
    home.configure(**source, url=hospital.base, deletions="history")
    home.killed_pull(1.5)
    home.take()
    assert_same(home, hospital.state(TYPES).current)


def test_history_does_not_bring_the_files_that_exports_wrote(hospital: Hospital, home: Home) -> None:
    home.configure(**SYSTEM, url=hospital.base, deletions="history")
    home.pull()
    home.pull()
    home.take()
    assert "Binary" not in home.landed_types()


def test_member_who_joins_the_group_later_brings_older_records(hospital: Hospital, home: Home) -> None:
    first, *others = patients_of(hospital)[:4]
    group = group_of(hospital, others)
    home.configure(source="bulk", group=group, url=hospital.base, deletions="history")
    home.take()
    assert_same(home, of_patients(hospital.state(TYPES), set(others)))
    hospital.update(with_members(hospital, group, [first, *others]))
    home.take()
    assert_same(home, of_patients(hospital.state(TYPES), {first, *others}))
