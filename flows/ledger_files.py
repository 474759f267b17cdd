"""The ledgers of a load as Parquet: a file for each site of which there are rows."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import duckdb

from flows.empty_files import empty_file
from flows.home import make_private
from flows.ledgers import Deletion, Identifier, LocalAlias
from flows.routing_together import Routed
from mappers.values import text

# Ledger → the file of its rows, which come from what was noted while lines were routed, and from `_resource`.
MODELS = {
    "_resource": "ledger_of_resources.sql",
    "_quarantine": "ledger_of_quarantine.sql",
    "_finding": "ledger_of_findings.sql",
    "_alias": "ledger_of_aliases.sql",
    "_deletion": "ledger_of_deletions.sql",
    "_file": "ledger_of_files.sql",
}


def write_ledgers(
    connection: duckdb.DuckDBPyConnection, routed: Routed, folder: Path, load_id: str, sites: Iterable[str]
) -> list[Path]:
    """Writes each ledger's rows, and makes them relations of the connection.

    `refused` is a relation there: the ordinals of lines that were routed, but not mapped.
    """
    # The largest of them is read back from its own files, so that it is never held.
    connection.sql(_model("_resource")).create_view("_resource")
    written = _write(connection, "_resource", folder, load_id, sites)
    if written:
        connection.read_parquet([str(path) for path in written]).create_view("_resource", replace=True)
    for name in MODELS:
        if name != "_resource" and _may_have_rows(name, routed):
            connection.execute(f"create temp table {name} as {_model(name)}")
            found = connection.execute(f"select distinct site from {name}").fetchall()  # noqa: S608
            written += _write(connection, name, folder, load_id, [site for (site,) in found])
    return written


def empty_ledgers(connection: duckdb.DuckDBPyConnection, folder: Path, generation: str) -> list[Path]:
    """A file without rows for each ledger; its columns are those of the relations that `write_ledgers` reads."""
    return [empty_file(connection, folder / name, generation, partial(_model, name)) for name in MODELS]


def _model(name: str) -> str:
    return Path(__file__).with_name(MODELS[name]).read_text(encoding="utf-8")


def _may_have_rows(name: str, routed: Routed) -> bool:
    """Whether there is anything to make rows of: to plan a model takes as long for none as for a thousand."""
    if name == "_alias":
        return routed.has_urls or routed.has_rows(Identifier) or routed.has_rows(LocalAlias)
    return name != "_deletion" or routed.has_rows(Deletion)


def _write(
    connection: duckdb.DuckDBPyConnection, name: str, folder: Path, load_id: str, sites: Iterable[str]
) -> list[Path]:
    written = []
    for site in sorted(sites):
        path = folder / name / site / f"{load_id}.parquet"
        make_private(path.parent)
        rows = f"from {name} where site = {text(site)}"
        # Hashes can't be made smaller by trying harder: level 3 takes a third longer for a hundredth of the size.
        options = "format parquet, compression zstd, compression_level 2"
        connection.execute(f"copy ({rows}) to {text(str(path))} ({options})")
        written.append(path)
    return written
