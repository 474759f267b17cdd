"""A Parquet file without rows for each relation, so that it is there before the first row of its kind."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import duckdb

from flows.home import make_private, sync

PREFIX = "empty-"


def empty_file(folder: Path, generation: str, rows: Callable[[], duckdb.DuckDBPyRelation]) -> Path:
    """The file of the relation in `folder`, with the columns of `rows`; written by the generation's first load."""
    path = folder / f"{PREFIX}{generation}.parquet"
    if not path.exists():
        make_private(folder)
        # By a rename: one that is there is whole, and isn't written again.
        part = path.with_suffix(".part")
        rows().limit(0).write_parquet(str(part))
        sync(part)
        part.replace(path)
        sync(folder)
    return path


def is_empty_file(path: str) -> bool:
    """Whether it is such a file: it outlives a power cut without being synced by each load."""
    return PurePosixPath(path).name.startswith(PREFIX)
