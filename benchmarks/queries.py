"""One view over one file of NDJSON to Parquet, in this process: by the engine, or by the query written by hand.

Both get the same connection: two threads, the load's memory limit, any order of rows. Both write the same
columns: the resource's id, and those of the view.

    python -m benchmarks.queries engine|hand VIEW FILE OUT
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from mappers.compiler import CompiledView, compile_view
from mappers.references import install_macros
from mappers.view import read_view

ROOT = Path(__file__).parent
VIEWS = ROOT.parent / "mappers" / "views"
FINGERPRINT = """
    select count(*), sum(hash(r)::hugeint) from (select {'row': row(columns(*))} as r from result)
"""


def view_path(name: str) -> Path:
    """The view that comes with the package."""
    return VIEWS / f"{name}.json"


def engine_rows(
    connection: duckdb.DuckDBPyConnection, view: CompiledView, file: Path
) -> duckdb.DuckDBPyRelation:
    """The compiled view over plain NDJSON: each field that it reads is a column of the typed reader."""
    fields = {name: str(kind) for name, kind in duckdb.sqltypes.DuckDBPyType(view.struct).children}
    raw = connection.read_json(str(file), columns=fields, format="newline_delimited")
    packed = ", ".join(f'"{name}" := "{name}"' for name in fields)
    resource = duckdb.SQLExpression(f"struct_pack({packed})").alias("resource")
    raw.select(duckdb.ColumnExpression("id"), resource).create_view("line")
    return connection.sql(view.select("line", passthrough=("id",)))


def hand_rows(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> duckdb.DuckDBPyRelation:
    """The query in `hand_written/`, over the same file."""
    connection.execute("set variable file = $1", [str(file)])
    return connection.sql((ROOT / "hand_written" / f"{name}.sql").read_text(encoding="utf-8"))


def fingerprint(file: Path) -> tuple[int, int]:
    """Rows of a Parquet file, and the sum of their hashes: the same for the same rows in any order."""
    with duckdb.connect() as connection:
        connection.read_parquet(str(file)).create_view("result")
        row = connection.execute(FINGERPRINT).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def main(how: str, name: str, file: Path, out: Path) -> None:
    """Prints the seconds of the query, and before them of compiling the view."""
    with duckdb.connect(
        config={"memory_limit": "1GB", "temp_directory": str(out.with_suffix(".spill"))}
    ) as connection:
        connection.execute("set threads = 2")
        connection.execute("set preserve_insertion_order = false")
        install_macros(connection, b"benchmark")
        compile_started = time.perf_counter()
        view = compile_view(read_view(view_path(name)), "R4B") if how == "engine" else None
        started = time.perf_counter()
        rows = engine_rows(connection, view, file) if view else hand_rows(connection, name, file)
        rows.write_parquet(str(out), compression="zstd")
        ended = time.perf_counter()
    print(json.dumps({"seconds": ended - started, "compiling": started - compile_started}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
