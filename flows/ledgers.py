"""The ledgers of a load: what became of each resource, noted as NDJSON in the work folder while lines are routed.

`file` is the number of a file within the load. Instants are still text; `ordinal` ties a row to its line.
"""

from pathlib import Path
from typing import Any

import duckdb
import msgspec

from flows.typed_lines import lines_sql, no_rows_sql

ROWS_IN_MEMORY = 16_384
ENOUGH = 1 << 19  # bytes: DuckDB reads longer lines than that without being told

TYPES = {int: "BIGINT", str: "VARCHAR", bool: "BOOLEAN"}


class Row(msgspec.Struct, omit_defaults=True, gc=False):
    """A row of a ledger."""

    file: int


class Seen(Row):
    """A resource, or what was there instead of one, and what became of it. One within another has that one's part
    as its `owner_part`.
    """

    line: int
    status: str
    type: str | None = None
    id: str | None = None
    hash: str | None = None
    fhir_version: str | None = None
    ordinal: int | None = None
    version: str | None = None
    last_updated: str | None = None
    full_url: str | None = None
    rule: str | None = None
    owner_part: int | None = None
    scope: str | None = None
    part: int = 0


class Finding(Row):
    """A rule that a resource breaks though it is mapped."""

    line: int
    type: str | None
    id: str | None
    rule: str


class Deletion(Row):
    """An entry that tells of a resource's deletion."""

    line: int
    url: str
    full_url: str | None
    deleted_at: str | None


class Identifier(Row):
    """An identifier of a resource that references may mean by it."""

    type: str | None
    id: str | None
    system: str | None
    value: str


class LocalAlias(Row):
    """Another name of a resource within its file."""

    alias: str
    resource_key: str


class LoadingFile(Row):
    """A file of the load, with how many resources it was found to hold. `landed_at` is an instant in UTC."""

    site: str
    sha256: str
    landed: int
    bytes: int
    landed_at: str


_encoder = msgspec.json.Encoder()


class Ledger:
    """Rows of one kind, written to a file in groups, so that memory stays bounded.

    Rows may be appended to `rows` itself, if `spill` is called from time to time.
    """

    def __init__(self, path: Path) -> None:
        self.rows: list[Row] = []
        self._path = path
        self._longest = 0
        path.touch(mode=0o600)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        self.spill()

    def spill(self) -> None:
        """Writes the rows when they are many."""
        if len(self.rows) >= ROWS_IN_MEMORY:
            self._flush()

    def close(self) -> int:
        """Writes what is held; returns the length of the longest row, or what it may be at most."""
        self._flush()
        return self._longest

    def _flush(self) -> None:
        lines = _encoder.encode_lines(self.rows)
        self._longest = max(self._longest, longest_of(lines))
        with self._path.open("ab") as target:
            target.write(lines)
        self.rows.clear()


def longest_of(lines: bytes) -> int:
    """What the longest line may be at most; exact where one is longer than ENOUGH."""
    begin, longest = 0, 0
    while begin < len(lines):
        # The last line end within reach: all lines before it are short enough.
        end = lines.rfind(b"\n", begin, begin + ENOUGH) + 1 or lines.find(b"\n", begin) + 1 or len(lines)
        longest = max(longest, end - begin)
        begin = end
    return longest


def read_ledger(
    connection: duckdb.DuckDBPyConnection, kind: type[Row], paths: list[Path], longest: int
) -> duckdb.DuckDBPyRelation:
    """The rows in the files of a ledger; `longest` is 0 where there is none, and nothing is read then."""
    columns = {field.name: _duckdb_type(field.type) for field in msgspec.structs.fields(kind)}
    return connection.sql(lines_sql(paths, columns, longest) if longest else no_rows_sql(columns))


def _duckdb_type(hint: Any) -> str:
    kind = next(kind for kind in getattr(hint, "__args__", (hint,)) if kind is not type(None))
    return TYPES[kind]
