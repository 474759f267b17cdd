"""The last two steps: estimates into a folder beside the report's, then the report put in its place."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import polars as pl

from flows.disk import disk_failures
from flows.errors import DefectError, UserError
from flows.manifest import run_identity, write_manifest
from flows.processes import process_pool, processors
from flows.published import read_warehouse
from flows.replacing import replace_folder
from flows.run import Run
from mappers.units import is_unit
from reports.rendering.html import Report, figures_of, render_html
from reports.statistics.asked_rows import UnaskedResults
from reports.statistics.control_estimates import Spread
from reports.statistics.curves import estimate_curves
from reports.statistics.results import STUDY_TABLES, estimate_results
from reports.statistics.results_csv import read_results, write_results
from sql.control import CONTROL, TABLES
from studies.protocol import Protocol
from studies.variations import variation_schema, varied_protocol
from studies.varied_analyses import sources_of

TIME_ZONES = "select site, timezone from clinical.site where timezone is not null order by site"
# Since when a site is stale is when it was last pulled completely; what failed is the newest pull's step.
PULLED = """
select
    site,
    source,
    coalesce(strftime(completed_at at time zone 'UTC', '%Y-%m-%d %H:%M UTC'), 'never'),
    case when is_stale then 'stale since then: failed at ' || failed_step else 'complete' end,
    case deletions when 'none' then 'not seen' else 'by ' || deletions end
from quality.pull
order by site
"""
RESULTS, CURVES = "results.csv", "figures/curves.csv"


def write_estimates(run: Run) -> Run:
    """Writes results.csv, and the curves' data, into a new folder beside the report's."""
    out, warehouse = _places(run)
    protocol = run.request.study.protocol
    remove_abandoned(out)
    staging = out.with_name(f".{out.name}.{os.getpid()}.part")
    with read_warehouse(warehouse) as connection:
        frames = {**study_frames(connection, protocol.id), **control_frames(connection, protocol)}
        varied = partial(variation_frames, connection, protocol)
        try:
            with _spread(protocol) as spread:
                results = estimate_results(frames, protocol, varied, spread, processors())
        except UnaskedResults as error:
            raise DefectError(f"{error}; this is a defect of Cove, please report it") from error
    with _staged(staging, out):
        shutil.rmtree(staging, ignore_errors=True)
        (staging / "figures").mkdir(parents=True)
        write_results(results, staging / RESULTS)
        estimate_curves(frames, protocol).write_csv(staging / CURVES)
    return replace(run, staging=staging)


def remove_abandoned(out: Path) -> None:
    """Removes what killed runs left beside the report's folder; never the former report, nor what a live run writes."""
    for folder in out.parent.glob(f".{glob.escape(out.name)}.*.part"):
        process = folder.name.removesuffix(".part").rpartition(".")[2]
        if process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


OTHER_TEXT = "(other text)"


def study_frames(connection: duckdb.DuckDBPyConnection, study: str) -> dict[str, pl.DataFrame]:
    """The tables of a study that statistics read, by name, and those of `quality` as `quality_resources` and so on."""
    frames = _tables(connection, study, with_views=True)
    quality = ("resources", "quarantine", "finding")
    of_all = {f"quality_{name}": connection.table(f"quality.{name}").pl() for name in quality}
    pulls = connection.sql("select site, is_stale from quality.pull order by site").pl()
    return {**frames, **of_all, "quality_unit": _units(connection, study), "quality_pull": pulls}


def variation_frames(
    connection: duckdb.DuckDBPyConnection, protocol: Protocol, name: str
) -> dict[str, pl.DataFrame]:
    """The tables that statistics read and a variation of the study's rules makes differ, by name."""
    frames = _tables(connection, variation_schema(protocol.id, name), with_views=False)
    asked = sources_of(varied_protocol(protocol, name), protocol.sensitivity[name].analyses)
    if "cohort" in asked.tables or "treated" not in frames:
        return frames
    # The cohort isn't made where no number is of it: who is treated is all of it that counts.
    return {**frames, "cohort": frames["treated"]}


def control_frames(connection: duckdb.DuckDBPyConnection, protocol: Protocol) -> dict[str, pl.DataFrame]:
    """The tables of the control patients as `control_cohort` and so on, and the study's baseline beside them."""
    if protocol.control is None:
        return {}
    schema = variation_schema(protocol.id, CONTROL)
    own = _tables(connection, schema, TABLES, with_views=False)
    study = _tables(connection, protocol.id, TABLES, with_views=True)
    return {
        "baseline": study["baseline"],
        **{f"control_{name}": own.get(name, study[name]) for name in study},
    }


@contextmanager
def _spread(protocol: Protocol) -> Iterator[Spread]:
    """Does the replicates of a bootstrap in as many processes as there are processors; the answers are the same."""
    if protocol.control is None:
        yield map
        return
    with process_pool(processors()) as pool:
        yield pool.map


def _tables(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    read: Sequence[str] = (*STUDY_TABLES, "treated"),
    *,
    with_views: bool,
) -> dict[str, pl.DataFrame]:
    """Tables of a schema: a study's without rows are views, as are a variation's that are the study's."""
    tables = connection.execute(
        "select table_name from information_schema.tables "
        "where table_schema = $schema and list_contains($read, table_name) "
        "and ($with_views or table_type = 'BASE TABLE')",
        {"schema": schema, "read": list(read), "with_views": with_views},
    ).fetchall()
    return {name: connection.sql(f'from "{schema}"."{name}"').pl() for (name,) in tables}


def _units(connection: duckdb.DuckDBPyConnection, study: str) -> pl.DataFrame:
    """The units that don't convert. What isn't any unit may be whatever somebody typed, and stays in the warehouse."""
    units = connection.execute("select * from quality.unit where study = $study", {"study": study}).pl()
    written = [code or text for code, text in units.select("source_code", "source_unit").iter_rows()]
    shown = [text if is_unit(text) else OTHER_TEXT for text in written]
    return units.with_columns(pl.Series("written", shown, dtype=pl.String))


def publish_report(run: Run) -> Run:
    """Renders what was estimated, writes the manifest, and puts the folder in the report's place."""
    out, warehouse = _places(run)
    if run.staging is None:
        raise ValueError("nothing was estimated")
    with _staged(run.staging, out):
        with read_warehouse(warehouse) as connection:
            report = _report(run, connection, run.staging)
        (run.staging / "report.html").write_text(render_html(report), encoding="utf-8")
        for name, svg in figures_of(report).items():
            (run.staging / "figures" / f"{name}.svg").write_text(svg, encoding="utf-8")
        write_manifest(
            run.staging,
            dict(report.identity),
            {"home": str(run.request.home), "warehouse": warehouse.name},
        )
        replace_folder(run.staging, out)
    return replace(run, staging=None, notes=(*run.notes, f"report: {out / 'report.html'}"))


@contextmanager
def _staged(staging: Path, out: Path) -> Iterator[None]:
    """Takes the new folder away when it can't be finished; a failing disk is HomeError."""
    try:
        with disk_failures(out):
            yield
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _report(run: Run, connection: duckdb.DuckDBPyConnection, staging: Path) -> Report:
    study = run.request.study
    inputs = connection.execute(
        "select site, file as sha256, bytes, landed_at from fhir.file order by all"
    ).fetchall()
    cutoff = connection.table(f'"{study.protocol.id}".data_cutoff').project("data_cutoff").fetchone()
    identity = run_identity(
        run,
        [
            {"site": site, "sha256": sha256, "bytes": size, "landed_at": landed_at.isoformat()}
            for site, sha256, size, landed_at in inputs
        ],
        str(cutoff[0]) if cutoff and cutoff[0] else "none: no death or contact is known",
        dict(connection.execute(TIME_ZONES).fetchall()),
    )
    quarantined = connection.execute(
        "select site, rule, file, line from quality.quarantine order by all"
    ).fetchall()
    return Report(
        results=read_results(staging / RESULTS),
        curves=_read_curves(staging / CURVES),
        protocol=study.protocol,
        identity=identity,
        codelists=[(name, len(codelist.rows)) for name, codelist in sorted(study.codelists.items())],
        quarantined=quarantined,
        pulled=connection.execute(PULLED).fetchall(),
    )


def _read_curves(path: Path) -> pl.DataFrame:
    from reports.statistics.curves import SCHEMA

    return pl.read_csv(path, schema=SCHEMA)


def _places(run: Run) -> tuple[Path, Path]:
    if run.request.out is None or run.warehouse is None:
        raise UserError("there is no warehouse to report from; run `cove build` first")
    return run.request.out, run.warehouse
