"""Deletions, by each way that a hospital can be known to delete; read in the warehouse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pulling.hospital import measured
from tests.pulling.pulls import NORTH, Bench, expected, served, site
from tests.pulling.server import Server

STUDY = "clofarabine"
COUNTS = """
    select (select count(*) from clinical.person) || ' persons, ' ||
        (select count(*) from clinical.measurement) || ' counts' as there
"""


def there(bench: Bench) -> str:
    """How many persons and blood counts the warehouse holds, after a load and a build."""
    done = bench.cove("build", STUDY, "--config", "cove.toml")
    assert done.code in (0, 1), done.text
    return bench.cove("sql", "--config", "cove.toml", COUNTS).out.splitlines()[-1].strip(' "')


def delete_some(server: Server) -> None:
    """A patient without counts, and a count, are deleted; a count of somebody else changes."""
    server.hospital.delete("Patient", "alone", server.now())
    server.hospital.delete("Observation", "o1", server.now())
    measured(server.hospital, "o2", "p2", 7.5, server.now())


MODES: dict[str, tuple[str, dict[str, Any]]] = {
    "bulk-default": ("bulk", {}),
    "bulk-manifest": ("bulk", {"deletions": "manifest"}),
    "bulk-history": ("bulk", {"deletions": "history"}),
    "bulk-snapshot": ("bulk", {"deletions": "snapshot"}),
    "bulk-none": ("bulk", {"deletions": "none"}),
    "rest-default": ("rest", {}),
    "rest-history": ("rest", {"deletions": "history"}),
    "rest-snapshot": ("rest", {"deletions": "snapshot"}),
}
BY_SITE = """
    select site || ': ' || count(distinct person_id) || ' persons, ' || (
        select count(*) from clinical.measurement where measurement.site = person.site
    ) || ' counts' as there
    from clinical.person group by site
"""


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By mode: what the warehouse holds after a pull, deletions at the hospital, another pull, and a build."""
    bench = Bench(tmp_path_factory.mktemp("deletions"))
    servers = {name: Server() for name in MODES}
    bench.servers.extend(servers.values())
    with served(*bench.servers):
        sites = {name: site(servers[name], source, name, **how) for name, (source, how) in MODES.items()}
        for server in servers.values():
            server.hospital.put("Patient", "alone", server.now(), gender="male")
        bench.configure(*sites.values())
        assert bench.pull().code == 0
        for server in servers.values():
            delete_some(server)
        bench.configure(*(fields for name, fields in sites.items() if "snapshot" not in name))
        assert bench.pull().code == 0
        # A snapshot is the whole truth only where it is whole.
        bench.configure(*(fields for name, fields in sites.items() if "snapshot" in name))
        assert bench.pull("--full").code == 0
        bench.configure(*sites.values())
        done = bench.cove("build", STUDY, "--config", "cove.toml")
        assert done.code in (0, 1), done.text
        lines = bench.cove("sql", "--config", "cove.toml", BY_SITE).out.splitlines()
    return dict(line.strip(' "').split(": ") for line in lines if ": " in line)


SEEN, NOT_SEEN = "6 persons, 29 counts", "7 persons, 30 counts"


@pytest.mark.xdist_group("deletions")
@pytest.mark.parametrize(
    ("mode", "expected_left"),
    [
        ("bulk-default", SEEN),
        ("bulk-manifest", SEEN),
        ("bulk-history", SEEN),
        ("bulk-snapshot", SEEN),
        ("bulk-none", NOT_SEEN),
        ("rest-default", NOT_SEEN),
        ("rest-history", SEEN),
        ("rest-snapshot", SEEN),
    ],
)
def test_what_is_deleted_at_the_hospital_is_gone_from_the_warehouse(
    left: dict[str, str], mode: str, expected_left: str
) -> None:
    assert left[mode] == expected_left


@pytest.mark.slow
def test_a_resource_that_comes_back_is_there_again(bench: Bench, server: Server) -> None:
    bench.configure(site(server))
    assert bench.pull().code == 0
    server.hospital.delete("Observation", "o1", server.now())
    assert bench.pull().code == 0
    measured(server.hospital, "o1", "p1", 8.5, server.now())
    assert bench.pull().code == 0
    assert there(bench) == "6 persons, 30 counts"


def test_the_bundle_of_deletions_is_landed_as_received(bench: Bench, server: Server) -> None:
    bench.configure(site(server))
    assert bench.pull().code == 0
    delete_some(server)
    assert bench.pull().code == 0
    assert server.exports.jobs[1].files["deleted.ndjson"] in bench.landed_files()


@pytest.mark.slow
def test_a_snapshot_that_failed_deletes_nothing(bench: Bench, server: Server) -> None:
    from tests.pulling.deeds import says
    from tests.pulling.table_of_faults import LAST, Row

    bench.configure(site(server, deletions="snapshot"))
    assert bench.pull().code == 0
    delete_some(server)
    server.faults.append(Row("gone", LAST, says(404), times=99))
    assert bench.pull("--full").code == 3
    assert there(bench) == "6 persons, 30 counts"


def test_history_is_read_from_the_last_pull_on(bench: Bench, server: Server) -> None:
    bench.configure(site(server, "rest", deletions="history"))
    for _ in range(2):
        assert bench.pull().code == 0
    delete_some(server)
    assert bench.pull().code == 0
    asked = server.asked("history")
    assert all(request.values("_since") for request in asked)
    # Of the types that are asked for: that of the whole server has much that nobody wants.
    assert {request.path for request in asked} == {"/fhir/Patient/_history", "/fhir/Observation/_history"}


@pytest.mark.parametrize(
    "refused", [("/Observation/_history",), ("/Observation/_history", "/Patient/_history")]
)
def test_the_history_of_the_server_is_read_where_a_types_is_not_offered(
    bench: Bench, server: Server, refused: tuple[str, ...]
) -> None:
    from tests.pulling.deeds import says
    from tests.pulling.table_of_faults import Row

    server.faults += [Row("no history", path, says(404), times=99) for path in refused]
    bench.configure(site(server, "rest", deletions="history"))
    for _ in range(2):
        assert bench.pull().code == 0
    assert any(request.path == "/fhir/_history" for request in server.asked("history"))


def test_a_history_that_is_not_offered_at_all_ends_with_three(bench: Bench, server: Server) -> None:
    from tests.pulling.deeds import says
    from tests.pulling.table_of_faults import EVER, Row

    server.faults.append(Row("no history", "history", says(404), **EVER))
    bench.configure(site(server, "rest", deletions="history"))
    done = bench.pull()
    assert done.code == 3
    assert "history" in done.failure_of(NORTH)
    assert bench.landed() == expected(server)


def test_medications_outside_of_the_compartment_are_fetched_by_reference(
    bench: Bench, server: Server
) -> None:
    from tests.pulling.test_bulk import how

    how(server, left_out=("Medication",))
    server.hospital.put("Medication", "m1", server.now(), code={"text": "a drug"})
    server.hospital.put("Medication", "unused", server.now(), code={"text": "another"})
    server.hospital.put(
        "MedicationAdministration",
        "a1",
        server.now(),
        status="completed",
        subject={"reference": "Patient/p0"},
        effectiveDateTime="2026-01-05",
        medicationReference={"reference": "Medication/m1"},
    )
    types = ["Patient", "Medication", "MedicationAdministration"]
    bench.configure(site(server, types=types))
    done = bench.pull()
    assert done.code == 0, done.text
    wanted = {name for name in expected(server) if name.split("/")[0] in types}
    assert bench.landed() == wanted - {"Medication/unused/1"}
    asked = [request for request in server.asked("search") if request.path == "/fhir/Medication"]
    assert [request.values("_id") for request in asked] == [["m1"]]
    assert bench.pull().code == 0
    assert len([r for r in server.asked("search") if r.path == "/fhir/Medication"]) == 1


def test_a_server_that_refuses_medications_is_told_of(bench: Bench, server: Server) -> None:
    from tests.pulling.deeds import says
    from tests.pulling.table_of_faults import Row
    from tests.pulling.test_bulk import how

    how(server, left_out=("Medication",))
    server.faults.append(Row("refuses", "/fhir/Medication?", says(403), times=99))
    server.hospital.put(
        "MedicationAdministration",
        "a1",
        server.now(),
        status="completed",
        subject={"reference": "Patient/p0"},
        effectiveDateTime="2026-01-05",
        medicationReference={"reference": "Medication/m1"},
    )
    bench.configure(site(server, types=["Patient", "Medication", "MedicationAdministration"]))
    done = bench.pull()
    assert done.code in (0, 1), done.text
    assert "Medication" in done.text
