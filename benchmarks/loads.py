"""Measures, each in a process of its own, what a load does: splitting, routing, the whole of it, and validation.

    python -m benchmarks.loads load HOME FOLDER        lands the folder's files and loads them to fhir.*
    python -m benchmarks.loads split FILE              takes a file apart
    python -m benchmarks.loads route FILE              takes it apart and sorts it, as a load does
    python -m benchmarks.loads validate FILE HOW N     each line in full, in N processes, by the `models` alone or
                                                       by the full validation of the `engine`

A measurement prints a JSON object with its seconds.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

IN_EACH_TASK = 500


def load(home_folder: Path, folder: Path) -> dict[str, Any]:
    """From a folder of files to Parquet, with the books: seconds of landing, and of the load."""
    from flows.home import open_home
    from flows.landing import land_files
    from flows.loading import load as load_landed
    from flows.loading_step import bundled_views

    home = open_home(home_folder)
    started = time.perf_counter()
    land_files(home, "site", folder, landed_at=dt.datetime.now(dt.UTC))
    landed = time.perf_counter()
    report = load_landed(home, views=bundled_views())
    ended = time.perf_counter()
    return {
        "seconds": ended - started,
        "landing": landed - started,
        "loading": ended - landed,
        "resources": report.resources,
        "mapped": report.mapped,
        "lost": len(report.mismatches),
    }


def split(file: Path) -> dict[str, Any]:
    """The whole file taken apart, its pieces counted and let go."""
    from flows.splitting import split as split_file

    with tempfile.TemporaryDirectory() as work:
        started = time.perf_counter()
        pieces = sum(len(batch) for batch in split_file(file, Path(work)))
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "pieces": pieces, "bytes": file.stat().st_size}


def route(file: Path) -> dict[str, Any]:
    """The file's resources checked, hashed, entered in the ledgers and written by type with their places."""
    from flows.landing import LandedFile
    from flows.load_views import Views
    from flows.loading import make_router
    from flows.loading_step import bundled_views
    from flows.routing_together import route as route_files

    views = Views(bundled_views())
    landed = LandedFile("site", "0" * 64, file.name, dt.datetime.now(dt.UTC), file.stat().st_size, file)
    with tempfile.TemporaryDirectory() as work:
        started = time.perf_counter()
        routed = route_files([landed], partial(make_router, views), Path(work))
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "pieces": routed.types[0].total(), "bytes": landed.size}


def validate(file: Path, how: str, processes: int) -> dict[str, Any]:
    """Every line validated as R4B, by processes that are started, and have read the model, before."""
    lines = file.read_bytes().splitlines()
    tasks = [lines[n : n + IN_EACH_TASK] for n in range(0, len(lines), IN_EACH_TASK)]
    by = {"models": _invalid_by_models, "engine": _invalid_by_engine}[how]
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(by, [lines[:1]] * processes))
        started = time.perf_counter()
        invalid = sum(pool.map(by, tasks))
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "resources": len(lines), "invalid": invalid}


def _invalid_by_models(lines: list[bytes]) -> int:
    """How many lines their model of `fhir.resources` refuses."""
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    invalid = 0
    for line in lines:
        model = get_fhir_model_class(json.loads(line[: line.index(b",")] + b"}")["resourceType"])
        try:
            model.model_validate_json(line)
        except ValidationError:
            invalid += 1
    return invalid


_validator: Any = None


def _invalid_by_engine(lines: list[bytes]) -> int:
    """How many lines break a rule of the full validation."""
    from mappers.validation import Validator

    global _validator
    _validator = _validator or Validator()
    kinds = (json.loads(line[: line.index(b",")] + b"}")["resourceType"] for line in lines)
    return sum(bool(_validator.rules(line, kind, "R4B")) for line, kind in zip(lines, kinds, strict=True))


def main(what: str, *arguments: str) -> None:
    """Prints what the measurement found."""
    measurements: dict[str, Callable[[], dict[str, Any]]] = {
        "load": lambda: load(Path(arguments[0]), Path(arguments[1])),
        "split": lambda: split(Path(arguments[0])),
        "route": lambda: route(Path(arguments[0])),
        "validate": lambda: validate(Path(arguments[0]), arguments[1], int(arguments[2])),
    }
    print(json.dumps(measurements[what]()))


if __name__ == "__main__":
    main(*sys.argv[1:])
