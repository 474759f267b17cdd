"""One field after the other of each type that a bundled view takes, given each wrong JSON type.

The expectation is exact: in a field that a view reads the resource is quarantined by that rule, in any other
it is mapped with that finding. Every field of the first two levels is tried, and all that stand beside, above
and below what a view reads.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

import mappers
from flows.home import open_home
from flows.landing import land_files
from flows.load_records import fhir_relations
from flows.loading import load
from mappers.compiler import compile_view
from mappers.faults import faults_of
from mappers.fields import FieldPath
from mappers.shape_check import ShapeChecker
from mappers.shapes import CONTAINER, Field, fields_of, has_type
from mappers.view import read_view

VIEWS = [read_view(path) for path in sorted((Path(mappers.__path__[0]) / "views").glob("*.json"))]
TYPES = tuple(sorted({view.resource for view in VIEWS}))
SOLITARY = [(version, kind) for version in ("R4B", "R5") for kind in TYPES if has_type(version, kind)]
LEVELS = 2

RIGHT: dict[str, Any] = {
    "boolean": True,
    "integer": 7,
    "integer64": 7,
    "decimal": 7.5,
    "date": "2024-02-29",
    "dateTime": "2024-02-29",
    "instant": "2024-02-29T10:00:00Z",
    "time": "10:00:00",
    "object": {},
}
EACH_TYPE: list[Any] = ["text", 7, 7.5, True, {}, []]
TAKEN: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "integer64": (int, str),
    "decimal": (int, float),
    "object": (dict,),
}


@cache
def reads(version: str, resource_type: str) -> frozenset[FieldPath]:
    """Every field that a bundled view reads of the type, with those above it."""
    paths = {("id",), ("meta", "versionId"), ("meta", "lastUpdated")}.union(
        *(compile_view(view, version).paths for view in VIEWS if view.resource == resource_type)
    )
    return frozenset(path[: n + 1] for path in paths for n in range(len(path)))


def is_of_kind(value: Any, kind: str) -> bool:
    wanted = TAKEN.get(kind, (str,))
    return isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))


def wrong_values(field: Field) -> Iterator[Any]:
    """Each JSON value that the field can't have."""
    right = RIGHT.get(field.kind, "text")
    wrong = [value for value in EACH_TYPE if not is_of_kind(value, field.kind)]
    if not field.is_list:
        yield from wrong
        yield [right]
        return
    yield from (value for value in EACH_TYPE if value != [])
    yield right
    if field.type_name != CONTAINER:
        yield from ([right, value] for value in wrong)
        if field.type_name not in (None, "FHIRPrimitiveExtension"):
            yield [None]


def fields_below(
    version: str, type_name: str, at: tuple[str, ...], read: frozenset[FieldPath]
) -> Iterator[Any]:
    """Paths as (JSON name, field) from the top."""
    for name, field in fields_of(version, type_name).items():
        yield ((name, field),)
        here = (*at, field.json_name)
        is_deep = len(here) >= LEVELS and here not in read
        if field.type_name and field.type_name != CONTAINER and not is_deep:
            yield from (((name, field), *rest) for rest in fields_below(version, field.type_name, here, read))


@cache
def smallest(version: str, resource_type: str) -> dict[str, Any]:
    """The fields that a resource of the type must have."""
    required = {name: field for name, field in fields_of(version, resource_type).items() if field.is_required}
    values = {name: RIGHT.get(field.kind, "text") for name, field in required.items()}
    return {name: [value] if required[name].is_list else value for name, value in values.items()}


def cases(version: str, resource_type: str) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """The path of a field, and a resource in which it is wrong; below the top, what is required is missing."""
    for path in fields_below(version, resource_type, (), reads(version, resource_type)):
        for value in wrong_values(path[-1][1]):
            made = value
            for name, field in reversed(path):
                made = {name: [made] if field.is_list and made is not value else made}
            whole = {"resourceType": resource_type, **smallest(version, resource_type), **made}
            yield tuple(field.json_name for _, field in path), whole


@pytest.mark.parametrize(("version", "resource_type"), SOLITARY)
def test_each_wrong_json_type_of_each_field_is_named(version: str, resource_type: str) -> None:
    checker, read = ShapeChecker((resource_type,), reads, (version,)), reads(version, resource_type)
    tried = set()
    for path, resource in cases(version, resource_type):
        found = checker.check(json.dumps(resource).encode())
        rule = f"type:{'.'.join((resource_type, *path))}"
        tried.add(path)
        assert found.rule == (rule if path in read else None), (path, resource, found)
        assert path in read or rule in found.findings, (path, resource, found)
        assert all(one == rule or one.startswith("required:") for one in found.findings), (
            path,
            resource,
            found,
        )
    assert read <= tried


@pytest.mark.parametrize("resource_type", TYPES)
def test_each_line_with_a_wrong_type_ends_in_quarantine_or_in_the_findings(
    resource_type: str, tmp_path: Path
) -> None:
    """Through a load, where a line may also be of the other FHIR version: it is never taken as right."""
    version = next(v for v, kind in SOLITARY if kind == resource_type)
    lines = [
        (path, json.dumps(r))
        for path, r in cases(version, resource_type)
        if len(path) <= 1 or path in reads(version, resource_type)
    ]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.ndjson").write_text("".join(f"{line}\n" for _, line in lines))
    home = open_home(tmp_path / "home")
    land_files(home, "a", tmp_path / "in", landed_at=datetime(2026, 1, 1, tzinfo=UTC))
    report = load(home, views=VIEWS)
    assert (report.resources, report.mismatches) == (len(lines), ())
    relations = {name: [str(p) for p in paths] for name, paths in fhir_relations(home).items()}
    status = dict(
        duckdb.execute(
            "select line, (status, fhir_version) from read_parquet($1) where not is_contained",
            [relations["_resource"]],
        ).fetchall()
    )
    told: dict[int, set[str]] = {}
    for ledger in ("_quarantine", "_finding"):
        for line, rule in duckdb.execute(
            "select line, rule from read_parquet($1)", [relations[ledger]]
        ).fetchall():
            told.setdefault(line, set()).add(rule)
    for number, (path, line) in enumerate(lines, 1):
        outcome, taken_as = status[number]
        rule = f"type:{'.'.join((resource_type, *path))}"
        if taken_as == version:
            assert rule in told.get(number, ()), (path, line)
            assert outcome == ("quarantined" if path in reads(version, resource_type) else "mapped"), (
                path,
                line,
            )
        else:
            # Only where nothing but what is required and missing is wrong in the other version.
            faults = faults_of(taken_as, resource_type, json.loads(line)) if taken_as else ()
            assert {fault.what for fault in faults} <= {"required"}, (path, line)
