"""The verdicts of the full validation, kept in the home: `fhir/_validated/<rules>/<content>.parquet`.

One row a content and rule that it breaks; one without a rule where it breaks none. A file is written aside, renamed
once it is whole, and never changed: after a crash there is a verdict or none, and what has none is validated again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from flows.compacting import MANY, SMALL
from flows.home import Home, HomeError, make_private, sync, write_whole
from flows.rules import verdict_rules
from flows.validating_batch import Verdict

SCHEMA = pa.schema([("hash", pa.string()), ("fhir_version", pa.string()), ("rule", pa.string())])


class Verdicts:
    """The verdicts by the present rules. Only who holds the home for writing may make and use one."""

    def __init__(self, home: Home) -> None:
        self.folder = home.fhir / "_validated" / verdict_rules()
        make_private(self.folder)
        for part in self.folder.glob(".*.part"):
            part.unlink()

    def read_into(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes the temporary table `verdict` (hash, fhir_version, rule), of what `quality.validated` has.

        Raises HomeError, naming the file, where one is damaged.
        """
        connection.execute(
            "create or replace temp table verdict (hash varchar, fhir_version varchar, rule varchar)"
        )
        for path in sorted(self.folder.glob("*.parquet")):
            try:
                connection.execute(
                    "insert into verdict select distinct hash, fhir_version, rule from read_parquet($path) "
                    "semi join quality.validated using (hash, fhir_version)",
                    {"path": str(path)},
                )
            except duckdb.Error as error:
                raise HomeError(
                    f"{path}: is damaged; delete it, and the next build validates its resources again"
                ) from error

    def keep(self, verdicts: Sequence[Verdict]) -> None:
        """Adds verdicts, as one file."""
        rows = [(key, fhir, rule) for key, fhir, rules in verdicts for rule in rules or (None,)]
        if not rows:
            return
        columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
        self._write(pa.Table.from_arrays(columns, schema=SCHEMA))

    def put_together(self) -> None:
        """Writes one file for the small ones, where there are many: each build may add one."""
        small = [path for path in sorted(self.folder.glob("*.parquet")) if path.stat().st_size < SMALL]
        if len(small) < MANY:
            return
        together = self._write(pa.concat_tables(pq.read_table(path, schema=SCHEMA) for path in small))
        # A verdict that stands in two files, after a crash between these lines, is the same verdict.
        for path in small:
            if path != together:
                path.unlink()
        sync(self.folder)

    def _write(self, table: pa.Table) -> Path:
        """The file of these verdicts, named by what they judge."""
        judged = sorted(f"{row['hash']} {row['fhir_version']}" for row in table.to_pylist())
        name = hashlib.sha256("\n".join(judged).encode()).hexdigest()[:16]
        path = self.folder / f"{name}.parquet"
        content = io.BytesIO()
        pq.write_table(table, content, compression="zstd")
        write_whole(path, content.getvalue())
        return path
