"""The full validation in a home: whose resources, once for each content, through kills and damage."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.compacting import MANY
from flows.execute import execute, request_of
from flows.home import Home
from flows.verdicts import Verdicts
from tests.hospitals.builder import ATC, CLOFARABINE, bundle, concept, given, observed, patient, person, write

pytestmark = pytest.mark.slow

COVE = Path(sys.executable).with_name("cove")
Finding = tuple[str, str, int]


def build(root: Path) -> str:
    """Runs the study on the files of the folder, and says what the run told."""
    asked = request_of("clofarabine", home=root / "home", files=root / "files", out=root / "out")
    ran = execute(asked)
    assert ran.exit_code == 0
    return "\n".join(ran.notes)


def cove(root: Path, command: str, code: int = 0) -> str:
    """The same on the command line: what it told."""
    options = ["--files", "files"] if command == "run" else []
    options += ["--out", "out"] if command == "run" else []
    done = subprocess.run(
        [COVE, command, "clofarabine", "--home", "home", *options],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def findings(
    root: Path, families: Iterable[str] = ("invalid", "code", "period", "order", "dose")
) -> list[Finding]:
    """Rule, id and line of what the full validation found."""
    with duckdb.connect(str(root / "home" / "warehouse.duckdb"), read_only=True) as con:
        rows = con.execute("select rule, id, line from quality.finding order by all").fetchall()
    return [row for row in rows if row[0].partition(":")[0] in families]


def validated(root: Path) -> set[str]:
    """The keys of the resources that had to be validated."""
    with duckdb.connect(str(root / "home" / "warehouse.duckdb"), read_only=True) as con:
        return {key for (key,) in con.execute("select resource_key from quality.validated").fetchall()}


def nonsense(on: int = 1, **fields: Any) -> dict[str, Any]:
    return observed(on, "http://loinc.org", "751-8", status="nonsense", **fields)


def test_those_with_an_index_drug_are_validated_and_others_are_not(tmp_path: Path) -> None:
    others = person("other", given(drug="L01CB01"), nonsense())
    write(
        tmp_path / "files", {"all.ndjson": [*others, *person("treated", given(status="on-hold"), nonsense())]}
    )
    told = build(tmp_path)
    assert "3 resources validated in full, 0 were already" in told
    assert validated(tmp_path) == {
        "Patient/treated",
        "MedicationAdministration/treated-0",
        "Observation/treated-1",
    }
    assert findings(tmp_path) == [("code:Observation.status", "treated-1", 6)]


def test_the_medications_that_records_mean_are_validated_with_their_mixes(tmp_path: Path) -> None:
    ingredient = {
        "resourceType": "Medication",
        "id": "drug",
        "code": concept(ATC, CLOFARABINE),
        "status": "odd",
    }
    mix = {
        "resourceType": "Medication",
        "id": "mix",
        "ingredient": [{"itemReference": {"reference": "Medication/drug"}}],
    }
    apart = {"resourceType": "Medication", "id": "apart", "status": "odd"}
    by_reference = given(medicationCodeableConcept=None, medicationReference={"reference": "Medication/mix"})
    dose = {name: value for name, value in by_reference.items() if value is not None}
    write(tmp_path / "files", {"all.ndjson": [ingredient, mix, apart, *person("p", dose)]})
    build(tmp_path)
    assert validated(tmp_path) == {
        "Patient/p",
        "MedicationAdministration/p-0",
        "Medication/mix",
        "Medication/drug",
    }
    assert findings(tmp_path) == [("code:Medication.status", "drug", 1)]


def test_a_contained_resource_is_validated_with_its_owner(tmp_path: Path) -> None:
    drug = {"resourceType": "Medication", "id": "m", "code": concept(ATC, CLOFARABINE), "status": "odd"}
    dose = given(contained=[drug], medicationReference={"reference": "#m"})
    del dose["medicationCodeableConcept"]
    write(tmp_path / "files", {"all.ndjson": person("p", dose)})
    build(tmp_path)
    assert validated(tmp_path) == {"Patient/p", "MedicationAdministration/p-0"}
    assert findings(tmp_path) == [("code:MedicationAdministration.contained.status", "p-0", 2)]


def test_resources_of_r5_are_validated_by_its_models(tmp_path: Path) -> None:
    """The site spells `occurrence[x]` as everybody does; R5 itself has `occurence[x]` here."""
    dose = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medication": {"concept": concept(ATC, CLOFARABINE)},
        "occurrenceDateTime": "2020-03-01",
    }
    write(tmp_path / "files", {"all.ndjson": person("p", dose, dose | {"status": "odd", "recorded": "2020"})})
    build(tmp_path)
    with duckdb.connect(str(tmp_path / "home" / "warehouse.duckdb"), read_only=True) as con:
        versions = con.execute("select type, fhir_version from quality.validated order by all").fetchall()
    assert versions == [("MedicationAdministration", "R5")] * 2 + [("Patient", "R4B")]
    assert findings(tmp_path) == [("code:MedicationAdministration.status", "p-1", 3)]


def test_a_merged_person_is_validated_under_every_name(tmp_path: Path) -> None:
    link = [{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]
    former = patient("old", link=link, gender="odd")
    write(tmp_path / "files", {"all.ndjson": [former, *person("new", given())]})
    build(tmp_path)
    assert "Patient/old" in validated(tmp_path)
    assert findings(tmp_path) == [("code:Patient.gender", "old", 1)]


@pytest.mark.parametrize("shape", ["bundle", "array", "bundles on lines", "without ids"])
def test_resources_are_found_again_in_files_of_every_shape(tmp_path: Path, shape: str) -> None:
    resources = person("p", given(), nonsense(1), nonsense(2))
    bundles = [json.dumps(bundle(resources[:2])), "", json.dumps(bundle(resources[2:]))]
    if shape == "without ids":
        urls = [f"urn:uuid:{number}" for number, _ in enumerate(resources)]
        stripped = [{k: v for k, v in one.items() if k != "id"} for one in resources]
        for one in stripped[1:]:
            one["subject"] = {"reference": urls[0]}
        entries = [{"fullUrl": url, "resource": one} for url, one in zip(urls, stripped, strict=True)]
        text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1)
    else:
        text = {
            "bundle": json.dumps(bundle(resources), indent=2),
            "array": json.dumps(resources, indent=1),
            "bundles on lines": "\n".join(bundles),
        }[shape]
    write(tmp_path / "files", {"all.json": text})
    build(tmp_path)
    lines = [3, 3] if shape == "bundles on lines" else [3, 4]
    assert [(rule, line) for rule, _, line in findings(tmp_path)] == [
        ("code:Observation.status", line) for line in lines
    ]


def test_a_content_is_validated_once_wherever_and_whenever_it_comes(tmp_path: Path) -> None:
    records = person("p", given(), nonsense(1))
    write(tmp_path / "files", {"a/first.ndjson": records, "b/same.ndjson": records})
    assert "6 resources validated in full" not in cove(tmp_path, "run")
    # The verdict of a content holds at each site.
    assert findings(tmp_path) == [("code:Observation.status", "p-1", 3)] * 2
    kept = set((tmp_path / "home" / "fhir" / "_validated").rglob("*.parquet"))
    assert "0 resources validated in full, 6 were already" in cove(tmp_path, "run")
    # One resource changes, and only that one is validated.
    write(
        tmp_path / "files",
        {"a/second.ndjson": [records[2] | {"status": "final", "meta": {"versionId": "2"}}]},
    )
    assert "1 resources validated in full, 5 were already" in cove(tmp_path, "run")
    assert findings(tmp_path) == [("code:Observation.status", "p-1", 3)]
    assert kept < set((tmp_path / "home" / "fhir" / "_validated").rglob("*.parquet"))


def test_what_a_later_build_does_not_validate_again_is_what_was_kept(tmp_path: Path) -> None:
    """A verdict put in the place of the kept one is believed: nobody looks at the resource a second time."""
    write(tmp_path / "files", {"all.ndjson": person("p", given(), nonsense(1))})
    build(tmp_path)
    (path,) = (tmp_path / "home" / "fhir" / "_validated").rglob("*.parquet")
    changed = tmp_path / "changed.parquet"
    duckdb.sql(
        f"copy (select hash, fhir_version, replace(rule, 'code:', 'dose:') as rule from '{path}') to '{changed}'"
    )
    changed.replace(path)
    build(tmp_path)
    assert findings(tmp_path) == [("dose:Observation.status", "p-1", 3)]


def test_verdicts_of_many_builds_are_put_together(tmp_path: Path) -> None:
    write(tmp_path / "files", {"all.ndjson": person("p", given(), nonsense(1))})
    build(tmp_path)
    verdicts = Verdicts(Home(tmp_path / "home"))
    others = [[(f"{number:064x}", "R4B", ())] for number in range(MANY - 2)]
    for some in others:
        verdicts.keep(some)
    verdicts.put_together()
    assert len(list(verdicts.folder.iterdir())) == MANY - 1  # still few
    verdicts.keep([("f" * 64, "R4B", ("dose:negative",))])
    verdicts.put_together()
    (path,) = verdicts.folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    kept = duckdb.sql(f"select count(*), count(distinct hash), count(rule) from '{path}'").fetchall()
    assert kept == [(MANY + 2, MANY + 2, 2)]
    assert "0 resources validated in full, 3 were already" in build(tmp_path)
    assert findings(tmp_path) == [("code:Observation.status", "p-1", 3)]


def test_other_rules_have_verdicts_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "files", {"all.ndjson": person("p", given(), nonsense(1))})
    build(tmp_path)
    (folder,) = (tmp_path / "home" / "fhir" / "_validated").iterdir()
    folder.rename(folder.with_name("0" * 16))
    assert "3 resources validated in full, 0 were already" in build(tmp_path)


def test_damaged_verdicts_are_named_and_the_published_warehouse_stays(tmp_path: Path) -> None:
    write(tmp_path / "files", {"all.ndjson": person("p", given(), nonsense(1))})
    build(tmp_path)
    (path,) = (tmp_path / "home" / "fhir" / "_validated").rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:40])
    told = cove(tmp_path, "build", code=3).splitlines()[-1]
    assert str(path) in told and "delete it" in told
    assert findings(tmp_path)
    path.unlink()
    assert "3 resources validated in full" in build(tmp_path)


def test_a_landing_zone_that_lost_a_file_is_named(tmp_path: Path) -> None:
    write(tmp_path / "files", {"all.ndjson": person("p", given(), nonsense(1))})
    build(tmp_path)
    (verdicts,) = (tmp_path / "home" / "fhir" / "_validated").rglob("*.parquet")
    verdicts.unlink()
    (landed,) = [p for p in (tmp_path / "home" / "landing" / "site").iterdir() if len(p.name) == 64]
    landed.unlink()
    told = cove(tmp_path, "build", code=3).splitlines()[-1]
    assert str(landed) in told and "backup" in told


def test_a_run_killed_while_it_validates_leaves_nothing_half_done(tmp_path: Path) -> None:
    """Enough resources for worker processes; none of them outlives the run that started it."""
    records = [observed(n % 300, "http://loinc.org", "751-8", valueInteger=n) for n in range(9_000)]
    write(tmp_path / "files", {"all.ndjson": person("p", given(), *records, nonsense())})
    command = [COVE, "run", "clofarabine", "--files", "files", "--home", "home", "--out", "out"]
    for wait in (0.2, 0.6):
        killed = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True)
        folder = tmp_path / "home" / "fhir" / "_validated"
        while not folder.exists() and killed.poll() is None:
            time.sleep(0.02)
        time.sleep(wait)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        deadline = time.monotonic() + 30
        while living := _of_session(killed.pid):
            assert time.monotonic() < deadline, living
            time.sleep(0.1)
        for path in folder.rglob("*.parquet"):
            assert duckdb.read_parquet(str(path)).fetchall()
        folder.rename(tmp_path / f"first-{wait}")
    build(tmp_path)
    assert findings(tmp_path) == [("code:Observation.status", "p-9001", 9003)]
    assert not list(folder.rglob(".*"))


def _of_session(session: int) -> list[str]:
    """The processes of a session that still run."""
    found = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return [line for line in found.stdout.splitlines() if "Z" not in line.split()[1]]
