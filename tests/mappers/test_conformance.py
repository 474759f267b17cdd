"""The conformance tests of SQL on FHIR v2, each as a test of its own, for R4B and R5.

Resources take the way of a load: NDJSON lines with their place, read by `read_json` with explicit types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mappers.compiler import CompiledView, compile_view
from mappers.references import install_macros
from mappers.view import ViewError, view_from

SUITE = Path(__file__).parents[3] / "shared" / "data" / "sql-on-fhir"
pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason="the conformance suite is not at ../shared/data")


class Written(float):
    """A number with its text."""

    def __new__(cls, text: str) -> Written:
        made = super().__new__(cls, text)
        made.text = text  # type: ignore[attr-defined]
        return made


def cases() -> Iterator[Any]:
    for file in sorted(SUITE.glob("*.json")):
        suite = json.loads(file.read_text(encoding="utf-8"), parse_float=Written)
        for case in suite["tests"]:
            yield pytest.param(suite["resources"], case, id=f"{file.stem}-{case['title']}")


def with_exact_numbers(value: Any, compiled: CompiledView, path: tuple[str, ...] = ()) -> Any:
    """The resource with the numbers at the view's exact paths as text, as the splitter writes them."""
    if isinstance(value, dict):
        return {key: with_exact_numbers(item, compiled, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [with_exact_numbers(item, compiled, path) for item in value]
    return value.text if isinstance(value, Written) and path in compiled.exact_numbers else value


def rows_of(resources: list[dict], view: dict, version: str, folder: Path) -> tuple[list[str], list[tuple]]:
    """The columns and rows that a view gives."""
    compiled = compile_view(view_from(view, file="view.json"), version)
    lines = [
        json.dumps({"file": "f", "line": number, "resource": with_exact_numbers(resource, compiled)})
        for number, resource in enumerate(resources, 1)
        if resource["resourceType"] == compiled.resource
    ]
    file = folder / "resources.ndjson"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with duckdb.connect() as connection:
        install_macros(connection, b"key")
        relation = (
            f"read_json('{file}', format = 'newline_delimited', "
            f"columns = {{file: 'VARCHAR', line: 'BIGINT', resource: '{compiled.struct}'}})"
        )
        result = connection.execute(compiled.select(relation, passthrough=("file", "line")))
        names = [column[0] for column in result.description]
        rows = result.fetchall()
    assert names[:2] == ["file", "line"]
    assert names[2:] == [column.name for column in compiled.columns]
    return names[2:], [row[2:] for row in rows]


def comparable(rows: list[dict]) -> list[str]:
    """Rows in one order; 5 and 5.0 are the same number in JSON."""

    def number(value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number else value

    return sorted(json.dumps({k: number(v) for k, v in row.items()}, sort_keys=True) for row in rows)


def column_names(select: dict[str, Any]) -> list[str]:
    """The order of the standard: own columns, those of nested selects, those of the first branch of a union."""
    own = [column["name"] for column in select.get("column", [])]
    nested = [name for inner in select.get("select", []) for name in column_names(inner)]
    return own + nested + (column_names(select["unionAll"][0]) if "unionAll" in select else [])


def test_no_case_of_the_suite_is_left_out() -> None:
    names = [case.id for case in cases()]
    assert len(names) == len(set(names)) == 144
    assert all({"expect", "expectError"} & set(case.values[1]) for case in cases())


@pytest.mark.parametrize("wrong", [
    [{"a": 1}], [{"a": 1, "b": None}, {"a": 1, "b": None}], [{"a": True, "b": None}], [{"a": 1, "b": []}],
    [{"a": "1", "b": None}], [{"a": 1, "c": None}], [{"b": 1, "a": None}], [],
])  # fmt: skip
def test_other_rows_are_not_taken_for_the_expected_ones(wrong: list[dict]) -> None:
    assert comparable(wrong) != comparable([{"a": 1, "b": None}])


@pytest.mark.parametrize(("resources", "case"), cases())
def test_conformance(resources: list[dict], case: dict, tmp_path: Path) -> None:
    for version in ("R4B", "R5"):
        check(resources, case, version, tmp_path)


def check(resources: list[dict], case: dict, version: str, tmp_path: Path) -> None:
    if case.get("expectError"):
        # What only the data can show ends the query with a text of the view's own; no other failure counts.
        with pytest.raises((ViewError, duckdb.InvalidInputException)) as caught:
            rows_of(resources, case["view"], version, tmp_path)
        assert caught.type is ViewError or "more than one value" in str(caught.value)
        return
    names, rows = rows_of(resources, case["view"], version, tmp_path)
    assert names == [name for select in case["view"]["select"] for name in column_names(select)]
    if "expectColumns" in case:
        assert names == case["expectColumns"]
    if "expectCount" in case:
        assert len(rows) == case["expectCount"]
    if "expect" in case:
        assert comparable([dict(zip(names, row, strict=True)) for row in rows]) == comparable(case["expect"])
