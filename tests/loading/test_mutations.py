"""Lines broken in every way that a seeded fuzzer finds: each is counted once, and no value is lost."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from flows.home import open_home
from flows.landing import land_files
from flows.loading import fhir_relations, load
from mappers.view import view_from

VIEW = view_from(
    {
        "resourceType": "ViewDefinition",
        "name": "observation",
        "resource": "Observation",
        "status": "active",
        "select": [
            {
                "column": [
                    {"name": "status", "path": "status"},
                    {"name": "effective", "path": "effective.ofType(dateTime)"},
                    {"name": "value", "path": "value.ofType(Quantity).value"},
                    {"name": "unit", "path": "value.ofType(Quantity).unit"},
                ]
            }
        ],
    },
    file="observation.json",
)


def line(n: int) -> bytes:
    resource = {
        "resourceType": "Observation",
        "id": f"o{n}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hémoglobine"}]},
        "effectiveDateTime": "2024-02-29T10:00:00+09:00",
        "valueQuantity": {"value": 7.25 + n, "unit": "g/dL"},
    }
    return json.dumps(resource, ensure_ascii=False).encode()


Mutation = Callable[[bytes, random.Random], bytes]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data))]


def flip(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    piece = rng.choice(
        [b"\0", b"\xff\xfe", b"\\u0000", b"\\ud800", b'"', b"{", b"]", b"\r", b",", b"1e999", b"\xc3"]
    )
    return data[:at] + piece + data[at:]


def swap_value(data: bytes, rng: random.Random) -> bytes:
    resource = json.loads(data)
    name = rng.choice(list(resource))
    resource[name] = rng.choice([12, "x", True, None, [], {}, [1], {"value": "41"}, 10**30, "2024-02-30"])
    return json.dumps(resource).encode()


def repeat_key(data: bytes, rng: random.Random) -> bytes:
    name = rng.choice(["status", "valueQuantity", "code", "id"])
    return data[:-1] + f',"{name}":"final"}}'.encode()


def nest(data: bytes, rng: random.Random) -> bytes:
    depth = rng.choice([10, 500, 5000, 60_000])
    return data[:-1] + b',"x":' + b'{"y":' * depth + b"1" + b"}" * depth + b"}"


def lengthen(data: bytes, rng: random.Random) -> bytes:
    return data[:-1] + b',"note":[{"text":"' + b"n" * rng.randrange(1 << 21) + b'"}]}'


MUTATIONS: list[Mutation] = [cut, flip, insert, swap_value, repeat_key, nest, lengthen]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_lines_are_counted_once_and_keep_their_values(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    lines = [line(0)]
    for n in range(1, 400):
        lines.append(rng.choice(MUTATIONS)(line(n), rng) if rng.random() < 0.5 else line(n))
    content = b"\n".join([*lines, line(400), b""])
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.ndjson").write_bytes(content)
    home = open_home(tmp_path / "home")
    land_files(home, "a", tmp_path / "in", landed_at=datetime(2026, 1, 1, tzinfo=UTC))
    report = load(home, views=[VIEW])

    received = {n: text for n, text in enumerate(content.split(b"\n"), 1) if text.strip()}
    assert (report.resources, report.mismatches) == (len(received), ())
    relations = {name: [str(p) for p in paths] for name, paths in fhir_relations(home).items()}
    quarantined = duckdb.execute("select line from read_parquet($1)", [relations["_quarantine"]]).fetchall()
    ignored = duckdb.execute(
        "select line from read_parquet($1) where status = 'not_asked_for'", [relations["_resource"]]
    ).fetchall()
    mapped = duckdb.execute(
        "select line, status, effective, value, unit from read_parquet($1, union_by_name = true)",
        [relations["observation"]],
    ).fetchall()
    told = [n for (n,) in [*quarantined, *ignored]] + [row[0] for row in mapped]
    assert sorted(told) == sorted(received)
    for number, *values in mapped:
        resource = json.loads(received[number])
        quantity = resource.get("valueQuantity") or {}
        expected = [
            resource.get("status"),
            resource.get("effectiveDateTime"),
            quantity.get("value"),
            quantity.get("unit"),
        ]
        assert values == expected, number
    untouched = {n for n, text in received.items() if text == line(n - 1)}
    assert untouched <= {row[0] for row in mapped}
