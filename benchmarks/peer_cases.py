"""Counts the conformance cases of SQL on FHIR that another implementation passes; run by the peers' own Python.

    python peer_cases.py PACKAGE FOLDER

A case passes when the rows are the expected ones in any order (or their number, or an error, where that is
expected). Numbers are compared as numbers, and a list may be one or its JSON, so that a type's spelling doesn't count.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def rows_of_pysof(view: dict[str, Any], resources: Rows) -> Rows:
    """The rows over a bundle of the resources."""
    import pysof

    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    view = {"resourceType": "ViewDefinition", **view}
    rows: Rows = json.loads(pysof.run_view_definition(view, bundle, "json"))
    return rows


def rows_of_fhir4ds(view: dict[str, Any], resources: Rows) -> Rows:
    """The rows over a table of JSON."""
    import fhir4ds

    connection = _fhir4ds_connection()
    connection.execute(
        'create or replace table resources (id varchar, "resourceType" varchar, resource json)'
    )
    for resource in resources:
        row = [resource.get("id"), resource["resourceType"], json.dumps(resource)]
        connection.execute("insert into resources values ($1, $2, $3)", row)
    found = connection.sql(fhir4ds.generate_view_sql(json.dumps(view)))
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@cache
def _fhir4ds_connection() -> Any:
    import fhir4ds

    return fhir4ds.create_connection()


def passes(case: dict[str, Any], resources: Rows, run: Callable[[dict[str, Any], Rows], Rows]) -> bool:
    """Whether the case's expectation is met; whatever the peer raises is its error."""
    try:
        rows = run(case["view"], resources)
    except Exception:  # noqa: BLE001
        return bool(case.get("expectError"))
    if case.get("expectError"):
        return False
    if "expectCount" in case and len(rows) != case["expectCount"]:
        return False
    return "expect" not in case or _comparable(rows) == _comparable(case["expect"])


def _comparable(rows: Rows) -> list[str]:
    return sorted(json.dumps({name: _value(v) for name, v in row.items()}, sort_keys=True) for row in rows)


def _value(value: Any) -> Any:
    if isinstance(value, str) and value[:1] == "[":
        return json.loads(value)
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return value
    return float(value) if isinstance(value, int | float) or hasattr(value, "as_tuple") else str(value)


RUNS = {"pysof": rows_of_pysof, "fhir4ds-v2": rows_of_fhir4ds}


def main(package: str, folder: Path) -> None:
    """Prints a JSON object: cases, and how many pass."""
    cases = passed = 0
    for file in sorted(folder.glob("*.json")):
        suite = json.loads(file.read_text(encoding="utf-8"))
        for case in suite["tests"]:
            cases += 1
            is_passed = passes(case, suite["resources"], RUNS[package])
            passed += is_passed
            if not is_passed:
                print(file.name, case["title"], file=sys.stderr)
    print(json.dumps({"cases": cases, "passed": passed}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
