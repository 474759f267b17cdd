"""The verdicts of the full validation, kept in the home: `fhir/_validated/<rules>/<content>.parquet`.

One row a content and rule that it breaks; one without a rule where it breaks none. A file is written aside, renamed
once it is whole, and never changed: after a crash there is a verdict or none, and what has none is validated again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import mappers.date_order
import mappers.required_codes
import mappers.resource_rules
import mappers.shapes
import mappers.validation
from flows.home import Home, HomeError, sync
from flows.validating_batch import Verdict

SCHEMA = pa.schema([("hash", pa.string()), ("fhir_version", pa.string()), ("rule", pa.string())])
RULES = (
    mappers.validation,
    mappers.resource_rules,
    mappers.required_codes,
    mappers.date_order,
    mappers.shapes,
)
PACKAGES = ("fhir.resources", "fhir-core", "pydantic")


def rules_identity() -> str:
    """The identity of everything that decides a verdict: our rules as they are written, and the packages' versions."""
    parts = hashlib.sha256()
    for module in RULES:
        parts.update(Path(str(module.__file__)).read_bytes())
    for package in PACKAGES:
        parts.update(f"{package}=={version(package)}\n".encode())
    return parts.hexdigest()[:16]


class Verdicts:
    """The verdicts by the present rules. Only who holds the home for writing may make and use one."""

    def __init__(self, home: Home) -> None:
        self.folder = home.fhir / "_validated" / rules_identity()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        table = pa.Table.from_arrays(
            [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)], schema=SCHEMA
        )
        name = hashlib.sha256("\n".join(sorted(key for key, _, _ in rows)).encode()).hexdigest()[:16]
        part = self.folder / f".{name}.{os.getpid()}.part"
        pq.write_table(table, part, compression="zstd")
        part.chmod(0o600)
        sync(part)
        part.replace(self.folder / f"{name}.parquet")
        sync(self.folder)
