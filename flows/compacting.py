"""Puts the many small Parquet files of a site and relation together, so that reading them stays cheap."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import duckdb

MANY = 16  # small files of one site and relation that are put together
SMALL = 16 << 20  # bytes


def compact(
    connection: duckdb.DuckDBPyConnection, folder: Path, paths: Iterable[str], load_id: str
) -> tuple[list[str], list[str]]:
    """Writes one file for the small ones of a site and relation, where there are many; none is removed.

    `paths` are those of the files that hold current rows, within `folder`. Returns the new ones, and those
    whose rows stand in them. Rows keep their lineage.
    """
    by_place: dict[PurePosixPath, list[str]] = defaultdict(list)
    for path in sorted(paths):
        place = PurePosixPath(path).parent
        # A relation's own file, beside the sites' folders, has its columns and no row.
        if len(place.parts) > 1 and (folder / path).stat().st_size < SMALL:
            by_place[place].append(path)
    made, replaced = [], []
    for place, small in sorted(by_place.items()):
        if len(small) >= MANY:
            target = (place / f"{load_id}-together.parquet").as_posix()
            rows = connection.read_parquet([str(folder / path) for path in small], union_by_name=True)
            rows.write_parquet(str(folder / target), compression="zstd")
            made.append(target)
            replaced += small
    return made, replaced
