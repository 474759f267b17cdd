"""A load whose blocks go to several processes: what it writes, and what happens when one of them is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.home import Home, open_home
from flows.landing import land_files
from flows.load_records import fhir_relations
from flows.loading import LoadReport, load
from flows.loading_step import bundled_views

COVE = Path(sys.executable).with_name("cove")
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
UNITS = ("g/L", "10*9/L", "%")


def observation(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": f"{number % 50}-1"}]},
        "subject": {"reference": f"Patient/p{number % 20}"},
        "effectiveDateTime": f"2024-01-{number % 28 + 1:02}T10:00:00+09:00",
        "valueQuantity": {"value": number / 8, "unit": UNITS[number % 3]},
    }


def lines(count: int) -> Iterator[str]:
    """Observations, among them wrong ones, a number too long for a double, and a line that is no JSON."""
    for number in range(count):
        resource = observation(number)
        if number % 97 == 0:
            resource["valueQuantity"]["value"] = "41"
        if number % 89 == 0:
            del resource["id"]
        if number % 83 == 0:
            resource["status"] = None
        text = json.dumps(resource)
        if number % 101 == 0:
            text = text.replace(f'"value": {number / 8}', '"value": 1.2345678901234567890')
        yield text[:-9] if number % 103 == 0 else text


def bundle(count: int) -> dict[str, Any]:
    """Persons and requests with contained medications, and a deletion."""
    entries: list[dict[str, Any]] = []
    for number in range(count):
        url = f"urn:uuid:00000000-0000-0000-0000-{number:012}"
        entries.append(
            {
                "fullUrl": url,
                "resource": {
                    "resourceType": "Patient",
                    "id": f"p{number}",
                    "identifier": [{"system": "urn:chart", "value": f"{number}"}],
                },
            }
        )
        entries.append(
            {
                "resource": {
                    "resourceType": "MedicationRequest",
                    "id": f"r{number}",
                    "status": "completed",
                    "intent": "order",
                    "subject": {"reference": url},
                    "medicationReference": {"reference": "#m"},
                    "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "a drug"}}],
                }
            }
        )
    entries.append({"request": {"method": "DELETE", "url": "Observation/o3"}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def loaded(root: Path, files: Path) -> tuple[Home, LoadReport]:
    home = open_home(root)
    # Pseudonyms of two homes are the same only under the same key.
    home.key_file.write_bytes(b"k" * 32)
    for folder in sorted(files.iterdir()):
        land_files(home, folder.name, folder, landed_at=WHEN)
    return home, load(home, views=bundled_views())


def everything(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    for name, paths in fhir_relations(home).items():
        relation = duckdb.read_parquet([str(path) for path in paths], union_by_name=True)
        found[name] = sorted(relation.fetchall(), key=repr)
    return found


def test_several_processes_write_what_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, site in enumerate(("a", "b", "c")):
        (tmp_path / "files" / site).mkdir(parents=True)
        (tmp_path / "files" / site / "o.ndjson").write_text("\n".join(lines(3000 + number)))
        (tmp_path / "files" / site / "b.json").write_text(json.dumps(bundle(400 + number)))
    _, one_report = one = loaded(tmp_path / "one", tmp_path / "files")
    monkeypatch.setattr("flows.routing_together.START_AT", 0)
    monkeypatch.setattr("flows.routing_together.processors", lambda: 3)
    for module in ("line_splitting", "documents"):
        monkeypatch.setattr(f"flows.{module}.CHUNK", 50_000)
    _, several_report = several = loaded(tmp_path / "several", tmp_path / "files")
    assert several_report == one_report
    assert not one_report.mismatches
    assert one_report.quarantined > 0
    expected, found = everything(one[0]), everything(several[0])
    assert found.keys() == expected.keys()
    assert {name for name in expected if found[name] != expected[name]} == set()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hospital's folder of 80 MB, enough for other processes to be started."""
    folder = tmp_path_factory.mktemp("large")
    with (folder / "o.ndjson").open("w") as target:
        for number in range(280_000):
            target.write(json.dumps(observation(number)) + "\n")
    return folder


def children(parent: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_routing(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor starts no other process")
@pytest.mark.parametrize("victim", ["the load", "the other process"])
def test_a_killed_process_leaves_no_other_and_the_next_load_is_whole(
    tmp_path: Path, large: Path, victim: str
) -> None:
    home = open_home(tmp_path / "home")
    land_files(home, "a", large, landed_at=WHEN)
    load_command = [COVE, "load", "--home", home.root]
    with subprocess.Popen(load_command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: any(map(is_routing, children(process.pid))))
        others = children(process.pid)
        if victim == "the load":
            process.kill()
            process.wait()
        else:
            for pid in filter(is_routing, others):
                os.kill(pid, signal.SIGKILL)
            _, told = process.communicate()
            assert process.returncode == 3
            assert told.strip().splitlines()[-1].endswith("free memory, and run again")
    wait_until(lambda: not any(map(is_routing, others)))
    assert not fhir_relations(home)
    done = subprocess.run(load_command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    paths = [str(path) for path in fhir_relations(home)["observation"]]
    assert duckdb.read_parquet(paths).aggregate("count(distinct id)").fetchone() == (280_000,)
