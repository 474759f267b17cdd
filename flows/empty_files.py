"""A Parquet file without rows for each relation, so that it is there before the first row of its kind."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import duckdb

from flows.home import make_private, sync
from mappers.values import text

PREFIX = "empty-"


def empty_file(
    connection: duckdb.DuckDBPyConnection, folder: Path, generation: str, rows_sql: Callable[[], str]
) -> Path:
    """The file of the relation in `folder`, with the columns of the rows; written by the generation's first load."""
    path = folder / f"{PREFIX}{generation}.parquet"
    if not path.exists():
        make_private(folder)
        # By a rename: one that is there is whole, and isn't written again.
        part = path.with_suffix(".part")
        connection.execute(f"copy (from ({rows_sql()}) limit 0) to {text(str(part))} (format parquet)")
        sync(part)
        part.replace(path)
        sync(folder)
    return path


def is_empty_file(path: str) -> bool:
    """Whether it is such a file: it outlives a power cut without being synced by each load."""
    return PurePosixPath(path).name.startswith(PREFIX)
