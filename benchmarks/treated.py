"""Makes simulated treated persons as `clinical.*` tables, and analyses them: each in a process of its own.

    python -m benchmarks.treated empty FILE             a warehouse with the tables, and one person
    python -m benchmarks.treated fill EMPTY FILE N      the same tables with N simulated persons
    python -m benchmarks.treated analyse FILE OUT N     from clinical.* to results.csv, as `cove report` does it

The last prints a JSON object with its seconds, also those of each part.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

STUDY = "clofarabine"
SEED = 20261125
FEW = 1_000  # persons; their data are fewer bytes than those of `flows.warehouse.FEW`
LIMITS = {"memory_limit": "1GB", "threads": "2"}
PATIENT = '{"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "2010-01-01"}\n'
PERSONS = Path(__file__).with_name("treated_patients.sql")


def make_empty(file: Path) -> dict[str, Any]:
    """A published warehouse, so that the tables have the columns that a build gives them."""
    from flows.execute import request_of
    from flows.run import Run
    from flows.steps import BUILD, LAND, LOAD

    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        files.mkdir()
        (files / "patients.ndjson").write_text(PATIENT)
        run = Run(request_of(STUDY, home=Path(folder) / "home", files=files, out=None))
        for step in (LAND, LOAD, BUILD):
            run = step.work(run)
        (Path(folder) / "home" / "warehouse.duckdb").rename(file)
    return {"seconds": 0.0}


def fill(empty: Path, file: Path, persons: int) -> dict[str, Any]:
    """The simulated persons, in tables as those of `empty`."""
    started = time.perf_counter()
    with duckdb.connect(str(file), config={**_limits(persons), "temp_directory": str(file.parent)}) as con:
        con.execute(f"attach '{empty}' as empty (read_only)")
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where database_name = 'empty' and schema_name in ('clinical', 'quality')"
        ).fetchall()
        con.execute(
            "set timezone = 'UTC'; create schema fhir; create schema current; create schema clinical; "
            "create schema quality"
        )
        for schema, table in tables:
            kept = "" if table in ("codelist", "soc") else "limit 0"
            con.execute(f"create table {schema}.{table} as from empty.{schema}.{table} {kept}")
        con.execute("create table clinical.code as from empty.clinical.code limit 0")
        con.execute("create table current.resource as from empty.current.resource limit 0")
        con.execute("set variable seed = $seed", {"seed": SEED})
        con.execute("set variable persons = $persons", {"persons": persons})
        con.execute(PERSONS.read_text(encoding="utf-8"))
        counted = con.execute("select count(*) from clinical.measurement").fetchone()
    return {"seconds": time.perf_counter() - started, "measurements": counted[0] if counted else 0}


def analyse(file: Path, out: Path, persons: int) -> dict[str, Any]:
    """The study's tables, then the results and the curves; seconds of each."""
    from flows.processes import processors
    from flows.reporting import study_frames, variation_frames
    from reports.statistics.curves import estimate_curves
    from reports.statistics.results import estimate_results
    from reports.statistics.results_csv import write_results
    from sql.build_study import build_study
    from sql.variations import build_variations
    from studies.reading import load_study

    watch = _Watch()
    study = load_study(STUDY)
    out.mkdir()
    with duckdb.connect(str(file), config={**_limits(persons), "temp_directory": str(out)}) as con:
        con.execute("set timezone = 'UTC'")
        build_study(con, study)
        build_variations(con, study)
        watch.part("building")
        frames = study_frames(con, study.protocol.id)
        watch.part("reading")
        varied = partial(variation_frames, con, study.protocol)
        results = estimate_results(frames, study.protocol, varied, threads=processors())
    write_results(results, out / "results.csv")
    watch.part("estimating")
    estimate_curves(frames, study.protocol).write_csv(out / "curves.csv")
    watch.part("curves")
    return {"seconds": sum(watch.seconds.values()), "processors": time.process_time(), **watch.seconds}


def _limits(persons: int) -> dict[str, str]:
    """Settings of DuckDB: of few persons a warehouse is written as `cove build` does it."""
    from flows.warehouse import STORAGE_OF_FEW

    return LIMITS | (STORAGE_OF_FEW if persons <= FEW else {})


class _Watch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def part(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self._since
        self._since = now


def main(what: str, *arguments: str) -> None:
    """Prints what the measurement found."""
    places = list(map(Path, arguments[:2]))
    measurements: dict[str, Callable[[], dict[str, Any]]] = {
        "empty": lambda: make_empty(places[0]),
        "fill": lambda: fill(places[0], places[1], int(arguments[2])),
        "analyse": lambda: analyse(places[0], places[1], int(arguments[2])),
    }
    print(json.dumps(measurements[what]()))


if __name__ == "__main__":
    main(*sys.argv[1:])
