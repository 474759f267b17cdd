"""Measures the mapping engine against a query written by hand, against peers, and against full validation.

Everything in one run, each measurement in a process of its own with its files in the page cache. Prints
resources a second, ratios and peak memory, and which of the aims are reached.

    python -m benchmarks.mapping [--small]

`--small` leaves out the 2,000,000 Observations and the bundle of 500 MB.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.load_measurements import measure_loads, measure_second_load, measure_validation
from benchmarks.results import Results
from benchmarks.samples import missing, originals, write_replicated
from benchmarks.split_measurements import measure_large_bundle, measure_splitting
from benchmarks.view_measurements import measure_peers, measure_view

SMALL, LARGE = 200_000, 2_000_000
COUNTS = {"observation": SMALL, "patient": 20_000, "medication_administration": SMALL}
TYPES = {
    "observation": "Observation",
    "patient": "Patient",
    "medication_administration": "MedicationAdministration",
}
NEEDED = {SMALL: 3 << 30, LARGE: 16 << 30}


def main(is_small: bool) -> None:
    """Prints everything; raises MeasurementError where a measured process fails."""
    started = time.perf_counter()
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    absent = missing()
    for reason in absent:
        print(reason)
    if absent:
        return
    with tempfile.TemporaryDirectory(prefix="cove-benchmark-") as folder:
        free = shutil.disk_usage(folder).free
        needed = NEEDED[SMALL if is_small else LARGE]
        if free < needed:
            sys.exit(f"the temporary folder has {free >> 30} GB free; {needed >> 30} are needed")
        results = Results()
        measure(Path(folder), results, is_small)
        results.summary()
    print(f"\nmeasured in {time.perf_counter() - started:.0f} s")


def measure(work: Path, results: Results, is_small: bool) -> None:
    """Every section, in the order of the aims."""
    results.section("A view to Parquet: the compiled query, and the same written by hand")
    files = {}
    for name, count in COUNTS.items():
        files[name] = work / f"{name}.ndjson"
        write_replicated(files[name], originals(TYPES[name]), count)
    bare = {SMALL: measure_view(results, "observation", SMALL, files["observation"], work)}
    for name in ("patient", "medication_administration"):
        measure_view(results, name, COUNTS[name], files[name], work)
    exports = {SMALL: files["observation"]}
    if not is_small:
        exports[LARGE] = work / "observations.ndjson"
        write_replicated(exports[LARGE], originals("Observation"), LARGE)
        bare[LARGE] = measure_view(results, "observation", LARGE, exports[LARGE], work)
    measure_peers(results, files["observation"], bare[SMALL], work)
    measure_splitting(results, files["observation"], work)
    validated = measure_validation(results, files["observation"], work)
    for count, export in exports.items():
        first = measure_loads(results, count, export, bare[count].hand, validated, work)
        measure_second_load(results, count, first, work)
    if not is_small:
        measure_large_bundle(results, work)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mapping")
    parser.add_argument("--small", action="store_true", help="without the 2,000,000 and the bundle of 500 MB")
    main(parser.parse_args().small)
