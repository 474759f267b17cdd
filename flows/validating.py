"""The full validation of a population's resources, in several processes, once for each content."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path

import duckdb

from flows.bundles import bundle_pieces, is_bundle
from flows.home import Home, HomeError
from flows.pieces import Piece
from flows.processes import process_pool, processors
from flows.splitting import split
from flows.validating_batch import Verdict, Wanted, validate_batch
from flows.verdicts import Verdicts

BATCH = 2_000  # resources
BATCH_BYTES = 8 << 20
KEPT_AT_ONCE = 50_000  # verdicts a file: what a killed run has to do again at most
IN_THIS_PROCESS = 2_000  # below this, starting workers costs more than they save
MOST_WORKERS = 16

UNKNOWN = """
create or replace temp table to_validate as
select distinct on (hash, fhir_version) site, file, line, type, hash, fhir_version
from quality.validated
anti join verdict using (hash, fhir_version)
order by hash, fhir_version, site, file, line
"""
OF_FILE = "select line, type, hash, fhir_version from to_validate where site = $site and file = $file"


@dataclass(frozen=True)
class Validation:
    """How many resources a build needed to be valid or not, and how many of them it had to validate."""

    resources: int
    validated: int


def validate_population(connection: duckdb.DuckDBPyConnection, home: Home, work: Path) -> Validation:
    """Fills the temporary table `content_rule` for what `quality.validated` has; validates what never was.

    Raises HomeError where a landed file or a kept verdict can't be read.
    """
    verdicts = Verdicts(home)
    verdicts.read_into(connection)
    connection.execute(UNKNOWN)
    count = _count(connection, "to_validate")
    if count:
        # Workers are ended at once when a verdict can't be kept.
        with closing(_validated(_batches(_contents(connection, home, work)), count)) as batches:
            _keep(batches, verdicts)
        verdicts.read_into(connection)
        verdicts.put_together()
    connection.execute("insert into content_rule from verdict where rule is not null")
    connection.execute("drop table temp.verdict")
    connection.execute("drop table temp.to_validate")
    return Validation(_count(connection, "quality.validated"), count)


def _keep(batches: Iterable[list[Verdict]], verdicts: Verdicts) -> None:
    held: list[Verdict] = []
    for batch in batches:
        held += batch
        if len(held) >= KEPT_AT_ONCE:
            verdicts.keep(held)
            held.clear()
    verdicts.keep(held)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    found = connection.table(table).count("*").fetchone()
    return found[0] if found else 0


def _contents(connection: duckdb.DuckDBPyConnection, home: Home, work: Path) -> Iterator[Wanted]:
    """What is to be validated, from landing; each file is read once."""
    files = connection.execute("select distinct site, file from to_validate order by all").fetchall()
    for site, file in files:
        rows = connection.execute(OF_FILE, {"site": site, "file": file}).fetchall()
        yield from _contents_of(home.landing / site / file, work, rows)


def _contents_of(path: Path, work: Path, rows: list[tuple[int, str, str, str]]) -> Iterator[Wanted]:
    """The content of each row: line, type, hash and FHIR version of a resource in the file."""
    lines = {line for line, _, _, _ in rows}
    wanted: dict[str, list[tuple[str, str]]] = {}
    for _, kind, key, fhir_version in rows:
        wanted.setdefault(key, []).append((kind, fhir_version))
    try:
        for piece in chain.from_iterable(split(path, work)):
            if piece.line in lines:
                for key, data in _resources(piece, wanted):
                    for kind, fhir_version in wanted.pop(key):
                        yield Wanted(key, kind, fhir_version, data)
    except FileNotFoundError as error:
        raise HomeError(f"{path}: isn't there any more; restore the landing zone from a backup") from error
    if wanted:
        raise HomeError(f"{path}: isn't what was landed; restore the landing zone from a backup")


def _resources(piece: Piece, wanted: dict[str, list[tuple[str, str]]]) -> Iterator[tuple[str, bytes]]:
    """Hash and bytes of the piece, where it is wanted; else of what is wanted in it, where it is a Bundle."""
    if not piece.data:
        return
    key = sha256(piece.data).hexdigest()
    if key in wanted:
        yield key, piece.data
    elif is_bundle(piece.data):
        for inner in bundle_pieces(piece.data, piece.line, ""):
            yield from _resources(inner, wanted)


def _batches(contents: Iterator[Wanted]) -> Iterator[list[Wanted]]:
    batch: list[Wanted] = []
    size = 0
    for one in contents:
        batch.append(one)
        size += len(one.data)
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _validated(batches: Iterator[list[Wanted]], count: int) -> Generator[list[Verdict], None, None]:
    """The verdicts of each batch, as they come; here, or by workers where there is enough to do for them."""
    workers = min(processors(), MOST_WORKERS, count // IN_THIS_PROCESS + 1)
    if workers < 2:
        yield from map(validate_batch, batches)
        return
    with process_pool(workers) as pool:
        try:
            yield from _in_flight(pool, batches, 2 * workers)
        except BrokenProcessPool as error:
            raise HomeError(
                "a process that validates resources was ended from outside, perhaps for want of memory; run again"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _in_flight(
    pool: ProcessPoolExecutor, batches: Iterator[list[Wanted]], most: int
) -> Iterator[list[Verdict]]:
    """Never more than `most` batches are with the workers, so that memory stays bounded."""
    pending: set[Future[list[Verdict]]] = set()
    for batch in batches:
        pending.add(pool.submit(validate_batch, batch))
        if len(pending) >= most:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (future.result() for future in pending)
