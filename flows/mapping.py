"""Maps the lines of a load by the compiled views: typed JSON in, one Parquet file a view and site out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from flows.home import make_private
from flows.refusing import take_out_refused
from flows.sorted_lines import Lines
from flows.typed_lines import lines_sql
from flows.urns import resolved_keys
from mappers.compiler import CompiledView, compile_view
from mappers.fields import FieldPath, quoted
from mappers.values import text
from mappers.view import View

LINEAGE = {
    "site": "VARCHAR",
    "file": "VARCHAR",
    "line": "BIGINT",
    "part": "INTEGER",
    "type": "VARCHAR",
    "id": "VARCHAR",
    "version": "VARCHAR",
    "last_updated": "TIMESTAMPTZ",
    "landed_at": "TIMESTAMPTZ",
    "full_url": "VARCHAR",
    "resource_key": "VARCHAR",
    "view_hash": "VARCHAR",
}
PLACE = {
    "ordinal": "BIGINT",
    "file": "INTEGER",
    "line": "BIGINT",
    "part": "INTEGER",
    "full_url": "VARCHAR",
    "scope": "VARCHAR",
}
# Below this, the sites of a type are mapped by one query; above it, each streams to its file.
SMALL = 64 << 20

SCOPE = "$scope"  # the Bundle within which a `urn:` is meant; no column of a view can have this name

# The lines with their lineage; `{type}`, `{view_hash}` and `{lines}` are SQL.
LINES_SQL = """
    select
        f.site,
        f.file,
        l.line,
        coalesce(l.part, 0) as part,
        {type} as type,
        l.resource.id as id,
        l.resource.meta.versionId as version,
        written_instant(l.resource.meta.lastUpdated) as last_updated,
        f.landed_at,
        l.full_url,
        l.file || ' ' || l.scope as "$scope",
        {type} || '/' || l.resource.id as resource_key,
        {view_hash} as view_hash,
        l.resource
    from ({lines}) as l
    join loading_file as f on f.number = l.file
"""


@dataclass(frozen=True)
class CompiledMapping:
    """One query over the lines of a type: a view's, or that of code maps. `columns` are name and DuckDB
    type; `sql` gives the lineage, the scope, and the columns; `resolved` is SQL for those that hold a `urn:`, with
    what it means in its scope. The others are as `CompiledView` has them.
    """

    name: str
    resource: str
    view_hash: str
    struct: str
    paths: frozenset[FieldPath]
    exact_numbers: frozenset[FieldPath]
    reads_json: bool
    columns: tuple[tuple[str, str], ...]
    sql: str
    resolved: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows_sql(self) -> str:
        """SQL of the rows: the lineage, then the columns."""
        columns = ", ".join(f"{sql} as {quoted(name)}" for name, sql in self.resolved.items())
        replaced = f" replace ({columns})" if columns else ""
        # What is put together here are quoted names and macros of ours.
        return f"select * exclude ({quoted(SCOPE)}){replaced} from ({self.sql})"  # noqa: S608

    def without_urns(self) -> CompiledMapping:
        """The same for lines among which no Bundle names its entries by `urn:`."""
        return replace(self, resolved={})


@dataclass(frozen=True)
class SiteLines:
    """The lines of one site, of the type and version that are mapped together."""

    site: str
    lines: tuple[Lines, ...]

    @property
    def paths(self) -> list[Path]:
        return [lines.path for lines in self.lines]

    @property
    def size(self) -> int:
        return sum(lines.size for lines in self.lines)

    @property
    def longest(self) -> int:
        return max(lines.longest for lines in self.lines)


def view_hash(view: View) -> str:
    """The identity of what a view says, whatever its file and layout."""
    return hashlib.sha256(repr(replace(view, file="")).encode()).hexdigest()


def mapping_of(view: View, fhir_version: str) -> CompiledMapping:
    """The view compiled for a FHIR version."""
    compiled: CompiledView = compile_view(view, fhir_version=fhir_version)
    columns = tuple((column.name, column.duckdb_type) for column in compiled.columns)
    return CompiledMapping(
        view.name,
        view.resource,
        view_hash(view),
        compiled.struct,
        compiled.paths,
        compiled.exact_numbers,
        compiled.reads_json,
        columns,
        compiled.select("line", passthrough=(*LINEAGE, SCOPE)),
        resolved_keys(view, dict(columns), quoted(SCOPE)),
    )


def reads_of(paths: Iterable[frozenset[FieldPath]]) -> frozenset[FieldPath]:
    """The leaves that are read, with the paths that lead to them, and those of the lineage."""
    leaves = {("id",), ("meta", "versionId"), ("meta", "lastUpdated")}.union(*paths)
    return frozenset(path[: n + 1] for path in leaves for n in range(len(path)))


def map_type(
    connection: duckdb.DuckDBPyConnection,
    mappings: Sequence[CompiledMapping],
    sites: Sequence[SiteLines],
    folder: Path,
    name: str,
) -> tuple[list[Path], list[int]]:
    """Writes `<folder>/<mapping>/<site>/<name>.parquet` for each mapping and site.

    Returns the files, and the ordinals of lines that DuckDB's reader refused though their shape is right (an
    object with the same key twice): they are left out of every file.
    """
    refused: list[int] = []
    while True:
        try:
            return [path for m in mappings for path in _map(connection, m, sites, folder, name)], refused
        except (duckdb.DataError, duckdb.InvalidInputException):
            found = [n for of_site in sites for n in _take_out_refused(connection, mappings, of_site)]
            if not found:
                raise
            refused += found


def _map(
    connection: duckdb.DuckDBPyConnection,
    mapping: CompiledMapping,
    sites: Sequence[SiteLines],
    folder: Path,
    name: str,
) -> list[Path]:
    if len(sites) == 1 or sum(of_site.size for of_site in sites) > SMALL:
        return [
            _write(
                connection,
                _rows(mapping, of_site.paths, of_site.longest),
                mapping,
                of_site.site,
                folder,
                name,
            )
            for of_site in sites
        ]
    return _map_together(connection, mapping, sites, folder, name)


def _map_together(
    connection: duckdb.DuckDBPyConnection,
    mapping: CompiledMapping,
    sites: Sequence[SiteLines],
    folder: Path,
    name: str,
) -> list[Path]:
    """One query for all sites: planning it costs more than reading a few lines."""
    longest = max(of_site.longest for of_site in sites)
    rows = _rows(mapping, [path for of_site in sites for path in of_site.paths], longest)
    connection.execute(f"create table mapped as {rows}")
    try:
        chosen = {of_site.site: f"from mapped where site = {text(of_site.site)}" for of_site in sites}
        return [_write(connection, rows, mapping, site, folder, name) for site, rows in chosen.items()]
    finally:
        connection.execute("drop table mapped")


def _rows(mapping: CompiledMapping, paths: list[Path], longest: int) -> str:
    """SQL of the mapping's rows; as SQL, so that DuckDB plans it once."""
    lines = LINES_SQL.format(
        type=text(mapping.resource),
        view_hash=text(mapping.view_hash),
        lines=lines_sql(paths, {**PLACE, "resource": mapping.struct}, longest),
    )
    # Not kept: a view may read them more than once, each time other fields.
    return f"with line as not materialized ({lines}) {mapping.rows_sql}"


def _write(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    mapping: CompiledMapping,
    site: str,
    folder: Path,
    name: str,
) -> Path:
    path = folder / mapping.name / site / f"{name}.parquet"
    make_private(path.parent)
    connection.execute(f"copy ({rows}) to {text(str(path))} (format parquet, compression zstd)")
    return path


def _take_out_refused(
    connection: duckdb.DuckDBPyConnection, mappings: Sequence[CompiledMapping], of_site: SiteLines
) -> list[int]:
    """Rewrites the site's lines without those that the reader refuses, and returns their ordinals."""

    def is_readable(probe: Path, longest: int) -> bool:
        return _is_readable(connection, mappings, probe, longest)

    return [_ordinal(line) for path in of_site.paths for line in take_out_refused(path, is_readable)]


def _ordinal(line: bytes) -> int:
    return int(line[len(b'{"ordinal":') : line.index(b",")])


def _is_readable(
    connection: duckdb.DuckDBPyConnection, mappings: Sequence[CompiledMapping], probe: Path, longest: int
) -> bool:
    try:
        for mapping in mappings:
            connection.execute(f"create table probed as {_rows(mapping, [probe], longest)}")
            connection.execute("drop table probed")
    except (duckdb.DataError, duckdb.InvalidInputException):
        connection.execute("drop table if exists probed")
        return False
    return True
