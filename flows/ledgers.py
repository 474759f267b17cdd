"""The ledgers of a load: what became of each resource, in Parquet beside the views' own files."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_IN_MEMORY = 65_536

# A file by its number within the load, and the line.
_PLACE = [("file", pa.int32()), ("line", pa.int64())]
_INSTANT = pa.timestamp("us", tz="UTC")

# As written while splitting: instants are still text, `ordinal` ties a row to its line in the work folder.
SEEN = pa.schema(
    [
        *_PLACE,
        ("type", pa.string()),
        ("id", pa.string()),
        ("version", pa.string()),
        ("last_updated", pa.string()),
        ("hash", pa.string()),
        ("full_url", pa.string()),
        ("fhir_version", pa.string()),
        ("status", pa.string()),
        ("rule", pa.string()),
        ("is_contained", pa.bool_()),
        ("ordinal", pa.int64()),
    ]
)
FINDINGS = pa.schema([*_PLACE, ("type", pa.string()), ("id", pa.string()), ("rule", pa.string())])
DELETIONS = pa.schema([*_PLACE, ("url", pa.string()), ("full_url", pa.string()), ("deleted_at", pa.string())])
IDENTIFIERS = pa.schema(
    [
        ("file", pa.int32()),
        ("type", pa.string()),
        ("id", pa.string()),
        ("system", pa.string()),
        ("value", pa.string()),
    ]
)
LOCAL_ALIASES = pa.schema([("file", pa.int32()), ("alias", pa.string()), ("resource_key", pa.string())])
FILES = pa.schema(
    [
        ("number", pa.int32()),
        ("site", pa.string()),
        ("file", pa.string()),
        ("landed", pa.int64()),
        ("bytes", pa.int64()),
        ("landed_at", _INSTANT),
    ]
)


class Ledger:
    """Rows added one by one, written to a Parquet file in groups, so that memory stays bounded."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self._rows: list[tuple[Any, ...]] = []
        self._writer = pq.ParquetWriter(path, schema, compression="none", use_dictionary=False)

    def add(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS_IN_MEMORY:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(list(c), f.type) for c, f in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows.clear()
