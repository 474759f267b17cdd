"""Every file that a simulated hospital writes can be read as its shape says, and is marked as simulated."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.hospitals import shapes, write_hospitals

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of all hospitals."""
    folder = tmp_path_factory.mktemp("hospitals")
    write_hospitals(folder)
    return folder


def texts(site: Path) -> Iterator[tuple[str, str]]:
    """Each text file of a site with its name; packed ones unpacked."""
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield name, archive.read(name).decode()
        else:
            plain = gzip.decompress(content) if path.suffix == ".gz" else content
            yield path.name.removesuffix(".gz"), plain.decode("utf-8-sig")


def units(site: Path) -> Iterator[str]:
    """Each JSON text of a site: a line of NDJSON, or a whole file."""
    for name, text in texts(site):
        if name.lower().endswith(".ndjson"):
            yield from (line for line in text.split("\n") if line.strip())
        else:
            yield text


def resources(site: Path) -> Iterator[Resource]:
    """Each resource of a site that is JSON; those of bundles one by one."""
    for unit in units(site):
        try:
            resource = json.loads(unit)
        except json.JSONDecodeError:
            continue
        yield from (row["resource"] for row in resource["entry"]) if "entry" in resource else [resource]


@pytest.mark.parametrize("shape", shapes())
def test_less_than_a_twentieth_of_a_site_is_no_json(folder: Path, shape: str) -> None:
    every = list(units(folder / f"hospital-{shape}"))
    broken = 0
    for unit in every:
        try:
            json.loads(unit)
        except json.JSONDecodeError:
            broken += 1
    assert every and broken * 20 < max(len(every), 20)


@pytest.mark.parametrize("shape", shapes())
def test_every_resource_is_marked_as_simulated(folder: Path, shape: str) -> None:
    # A server's message has no data, and a broken line is meant to be refused.
    unmarked = [
        row
        for row in resources(folder / f"hospital-{shape}")
        if "HTEST" not in {tag["code"] for tag in row.get("meta", {}).get("tag", [])}
        and row["resourceType"] != "OperationOutcome"
    ]
    assert [row["id"] for row in unmarked] == (["typed"] if shape == "a" else [])


@pytest.mark.parametrize("shape", shapes())
def test_no_person_has_a_name_or_an_address(folder: Path, shape: str) -> None:
    persons = [row for row in resources(folder / f"hospital-{shape}") if row["resourceType"] == "Patient"]
    assert persons
    assert not any(row.keys() & {"name", "telecom", "address", "photo"} for row in persons)


def test_doses_come_in_each_of_the_four_kinds(folder: Path) -> None:
    given = {
        row["resourceType"]
        for shape in shapes()
        for row in resources(folder / f"hospital-{shape}")
        if row.get("status") in ("completed", "active") and row["resourceType"].startswith("Medication")
    }
    assert given >= {
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationStatement",
        "MedicationRequest",
    }


def test_all_together_is_a_few_megabytes(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 8_000_000
