"""Runs a view by another implementation; it alone is run by the Python of the peers' own environment.

    python peer_script.py PACKAGE VIEW.json FILE.ndjson OUT

Prints the seconds from the view's text to the written file, without the import, and the rows.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def run_pysof(view: dict[str, Any], file: str, out: str) -> int:
    """By its streaming reader of files, to NDJSON."""
    import pysof

    pysof.process_ndjson_to_file(view, file, out, "ndjson")
    with Path(out).open("rb") as written:
        return sum(1 for _ in written)


def run_fhir4ds(view: dict[str, Any], file: str, out: str) -> int:
    """By the SQL that it makes, over a table of JSON, to Parquet."""
    import fhir4ds

    # It refuses the name that the standard's own examples give.
    view.pop("resourceType", None)
    connection = fhir4ds.create_connection()
    connection.execute(
        "create table resources as "
        "select json->>'$.id' as id, json->>'$.resourceType' as \"resourceType\", json as resource "
        "from read_json_objects($1, format = 'newline_delimited')",
        [file],
    )
    connection.sql(fhir4ds.generate_view_sql(json.dumps(view))).write_parquet(out)
    return int(connection.read_parquet(out).count("*").fetchone()[0])


RUNS = {"pysof": run_pysof, "fhir4ds-v2": run_fhir4ds}
IMPORTS = {"pysof": "pysof._pysof", "fhir4ds-v2": "fhir4ds"}


def main(package: str, view: str, file: str, out: str) -> None:
    """Prints a JSON object."""
    __import__(IMPORTS[package])
    read = json.loads(Path(view).read_text(encoding="utf-8"))
    started = time.perf_counter()
    rows = RUNS[package](read, file, out)
    print(json.dumps({"seconds": time.perf_counter() - started, "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
