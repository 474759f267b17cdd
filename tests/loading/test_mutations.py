"""Lines broken in every way that a seeded fuzzer finds: each is counted once, and no value is lost."""

import gzip
import io
import json
import random
import re
import subprocess
import sys
import zipfile
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.home import open_home
from flows.landing import land_files
from flows.load_records import fhir_relations
from flows.loading import load
from flows.view_query import ask_view
from flows.viewing import Output, run_view
from mappers.view import view_from
from tests.loading.mutating import MUTATIONS
from tests.loading.plain_reading import LEAVES, LINEAGE, AmbiguousError, UnreadableError, row_of, view

DATA = Path(__file__).parents[3] / "shared" / "data"
VIEWS = [view_from(view(kind), file=f"{kind}.json") for kind in LEAVES]
# What the plain reading doesn't know: a limit of depth, a day that doesn't exist, a key twice in the lineage.
MORE_RULES = ("too-deep", "date:", "unreadable", "not-json")
MOST = 20_000  # bytes of a line that is broken many times

OWN: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "p", "birthDate": "1970-02-01", "gender": "male", "active": True,
     "name": [{"family": "Núñez", "given": ["A", "B"]}], "multipleBirthInteger": 2,
     "identifier": [{"system": "urn:x", "value": "1"}]},
    {"resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p"},
     "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hémoglobine"}]},
     "effectiveDateTime": "2024-02-29T10:00:00+09:00", "valueQuantity": {"value": 7.25, "unit": "g/dL"},
     "referenceRange": [{"low": {"value": 12.0}}]},
    {"resourceType": "Observation", "id": "c", "status": "final", "code": {"text": "t"},
     "component": [{"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 120}}]},
    {"resourceType": "Condition", "id": "d", "code": {"coding": [{"code": "C91.0"}]},
     "subject": {"reference": "Patient/p"},
     "onsetDateTime": "2024", "category": [{"coding": [{"code": "encounter-diagnosis"}]}]},
    {"resourceType": "MedicationAdministration", "id": "m", "status": "completed",
     "subject": {"reference": "Patient/p"},
     "medicationCodeableConcept": {"coding": [{"code": "X"}]}, "effectiveDateTime": "2024-03-01T08:00:00Z",
     "dosage": {"dose": {"value": 28, "unit": "ug"}}},
    {"resourceType": "Basic", "id": "b", "code": {"text": "not asked for"}},
]  # fmt: skip


def own_lines() -> list[bytes]:
    return [json.dumps(resource, ensure_ascii=False).encode() for resource in OWN]


def mimic_lines() -> list[bytes]:
    found = []
    for path in sorted((DATA / "mimic-iv-fhir-demo").glob("*.ndjson.gz")):
        with gzip.open(path) as lines:
            found += [line.strip() for line in islice(lines, 40)]
    return [line for line in found if len(line) < MOST]


def synthea_lines() -> list[bytes]:
    found: list[bytes] = []
    with zipfile.ZipFile(DATA / "synthea-100" / "bundles.zip") as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".json"))[:2]:
            entries = json.loads(archive.read(name))["entry"]
            found += [json.dumps(entry["resource"], ensure_ascii=False).encode() for entry in entries[:400]]
    return [line for line in found if len(line) < MOST]


SOURCES = {"own": own_lines, "mimic": mimic_lines, "synthea": synthea_lines}
FOLDERS = {"own": None, "mimic": "mimic-iv-fhir-demo", "synthea": "synthea-100"}


def source_lines(source: str) -> list[bytes]:
    folder = FOLDERS[source]
    if folder and not (DATA / folder).is_dir():
        pytest.skip(f"{folder} is not at ../shared/data")
    return SOURCES[source]()


def broken_content(lines: list[bytes], rng: random.Random, count: int) -> list[bytes]:
    """Lines of which half are broken; the first and the last are whole."""
    made = [lines[0]]
    for _ in range(count):
        line = rng.choice(lines)
        made.append(rng.choice(MUTATIONS)(line, rng) if rng.random() < 0.5 else line)
    return b"\n".join([*made, lines[-1]]).split(b"\n")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", range(3))
def test_mutated_lines_are_counted_once_and_keep_their_values(seed: int, source: str, tmp_path: Path) -> None:
    check(source, seed, tmp_path, 150)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", range(100, 106))
def test_many_mutated_lines_are_counted_once_and_keep_their_values(
    seed: int, source: str, tmp_path: Path
) -> None:
    check(source, seed, tmp_path, 1500)


def check(source: str, seed: int, folder: Path, count: int) -> None:
    """Both ways through the engine give what the plain reading says, line by line, and nothing else."""
    lines = source_lines(source)
    content = broken_content(lines, random.Random(f"{source}{seed}"), count)
    (folder / "in").mkdir()
    file = folder / "in" / "a.ndjson"
    file.write_bytes(b"\n".join(content) + b"\n")
    received = {n: line for n, line in enumerate(content, 1) if line.strip()}
    mapped = check_load(folder, received, set(lines))
    clear = {number: line for number, line in received.items() if not has_two_types(line)}
    file.write_bytes(b"\n".join(clear.values()) + b"\n")
    rows = {kind: [row for number, row in mapped[kind] if number in clear] for kind in mapped}
    check_view(folder, file, rows, len(clear))


def has_two_types(line: bytes) -> bool:
    try:
        row_of(line)
    except AmbiguousError:
        return True
    except UnreadableError:
        pass
    return False


def check_load(
    folder: Path, received: dict[int, bytes], whole: set[bytes]
) -> dict[str, list[tuple[int, list[list[Any]]]]]:
    """Loads the file, and returns the rows with their lines, by type."""
    home = open_home(folder / "home")
    land_files(home, "a", folder / "in", landed_at=datetime(2026, 1, 1, tzinfo=UTC))
    report = load(home, views=VIEWS)
    assert (report.resources, report.mismatches) == (len(received), ())
    assert report.mapped + report.quarantined + report.not_asked_for == len(received)
    relations = {name: [str(p) for p in paths] for name, paths in fhir_relations(home).items()}
    ledger = duckdb.execute(
        "select line, status, type from read_parquet($1) where not is_contained", [relations["_resource"]]
    ).fetchall()
    assert sorted(number for number, *_ in ledger) == sorted(received)
    places = duckdb.execute("select line, part from read_parquet($1)", [relations["_resource"]]).fetchall()
    assert len(places) == len(set(places))
    quarantined = dict(
        duckdb.execute("select line, rule from read_parquet($1)", [relations["_quarantine"]]).fetchall()
    )
    rows: dict[str, list[tuple[int, list[list[Any]]]]] = {kind: [] for kind in LEAVES}
    given: dict[int, tuple[str, list[list[Any]]]] = {}
    for kind in LEAVES:
        names = ", ".join(f"c{n}" for n in range(len(LEAVES[kind])))
        found = duckdb.execute(
            f"select line, {names} from read_parquet($1, union_by_name = true) where not regexp_matches(id, '/.*#')",
            [relations[kind.lower()]],
        ).fetchall()
        for number, *row in found:
            assert number not in given, number
            given[number] = (kind, row)
            rows[kind].append((number, row))
    for number, status, kind in ledger:
        line = received[number]
        assert (number in given) == (status == "mapped"), number
        assert (number in quarantined) == (status == "quarantined"), number
        try:
            expected = row_of(line)
        except UnreadableError:
            assert status != "mapped", (number, line[:3000])
            continue
        except AmbiguousError:
            continue
        if status == "mapped":
            assert _exact(given[number]) == _exact(expected), (number, line[:3000])
        elif status == "not_asked_for":
            assert expected[0] == kind and kind not in LEAVES, number
        else:
            assert quarantined[number].startswith((*MORE_RULES, f"type:{kind}.id", f"type:{kind}.meta")), (
                number, quarantined[number], line[:3000])  # fmt: skip
            assert line not in whole, number
    return rows


def _exact(row: Any) -> str:
    """Types count: 1, 1.0 and true are three values."""
    return repr(row)


def check_view(folder: Path, file: Path, mapped: dict[str, list[list[list[Any]]]], count: int) -> None:
    """`cove view` gives the rows of the load, and tells as many of each kind."""
    for kind in LEAVES:
        (folder / "view.json").write_text(json.dumps(view(kind)))
        told: list[str] = []
        output = Output(folder / f"{kind}.parquet", io.StringIO())
        run_view(ask_view(folder / "view.json"), [file], output, tell=told.append, chunk_size=1 << 16)
        rows = duckdb.read_parquet(str(folder / f"{kind}.parquet")).fetchall()
        assert Counter(_exact(list(row[len(LINEAGE) :])) for row in rows) == Counter(
            map(_exact, mapped[kind])
        )
        words = told[0].replace(",", "").split()
        assert int(words[1]) == len(rows)
        assert sum(int(word) for word in words if word.isdigit()) == count


@pytest.mark.slow
def test_lines_of_100_mb_cost_nobody_else(tmp_path: Path) -> None:
    """One is right and one is cut; both ways read the lines between them."""
    small = own_lines()[1]
    long_text = b',"note":[{"text":"' + b"n" * (100 << 20)
    lines = [small, small[:-1] + long_text + b'"}]}', small, small[:-1] + long_text, small]
    (tmp_path / "in").mkdir()
    file = tmp_path / "in/a.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    rows = {
        kind: sorted(found) for kind, found in check_load(tmp_path, dict(enumerate(lines, 1)), set()).items()
    }
    assert [number for number, _ in rows["Observation"]] == [1, 2, 3, 5]
    assert len({_exact(row) for _, row in rows["Observation"]}) == 1
    check_view(tmp_path, file, {kind: [row for _, row in rows[kind]] for kind in rows}, len(lines))


@pytest.mark.parametrize("seed", range(2))
def test_the_command_ends_with_1_and_names_each_rule_for_mutated_lines(seed: int, tmp_path: Path) -> None:
    content = broken_content(own_lines(), random.Random(f"command{seed}"), 200)
    (tmp_path / "a.ndjson").write_bytes(b"\n".join(content))
    (tmp_path / "view.json").write_text(json.dumps(view("Observation")))
    ended = subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", "view", "view.json", "a.ndjson",
         "--out", "o.ndjson"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    first, *rules = ended.stderr.splitlines()
    counts = {
        word: int(number) for number, word in re.findall(r"(\d+) (mapped|quarantined|of other types)", first)
    }
    assert (ended.returncode, ended.stdout) == (1, "")
    assert counts["mapped"] == len((tmp_path / "o.ndjson").read_text().splitlines())
    assert sum(counts.values()) == sum(bool(line.strip()) for line in content)
    told = [rule.split(" (")[0].rpartition(" ") for rule in rules if rule.startswith("quarantined, ")]
    assert sum(int(count) for _, _, count in told) == counts["quarantined"]
