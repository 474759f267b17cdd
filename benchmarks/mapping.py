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
from benchmarks.samples import MIMIC, SYNTHEA, missing, originals, write_replicated
from benchmarks.split_measurements import measure_large_bundle, measure_splitting
from benchmarks.view_measurements import measure_peers, measure_view

SMALL, LARGE = 200_000, 2_000_000
# View → its type, and how many resources: a Patient of Synthea is long.
OTHER_VIEWS = {
    "patient": ("Patient", 50_000),
    "medication_administration": ("MedicationAdministration", SMALL),
}
NEEDED = {SMALL: 3 << 30, LARGE: 16 << 30}


def main(is_small: bool) -> None:
    """Prints everything; raises MeasurementError where a measured process fails."""
    started = time.perf_counter()
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    for reason in missing():
        print(reason)
    if not SYNTHEA.exists():
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
    exports, compared = {}, {}
    for count in (SMALL,) if is_small else (SMALL, LARGE):
        exports[count] = work / f"{count}.ndjson"
        write_replicated(exports[count], originals("Observation"), count)
        compared[count] = measure_view(results, "observation", count, exports[count], work)
    for name, (resource_type, count) in OTHER_VIEWS.items():
        if resource_type == "Patient" or MIMIC.exists():
            file = work / f"{name}.ndjson"
            write_replicated(file, originals(resource_type), count)
            measure_view(results, name, count, file, work)
            file.unlink()
    measure_peers(results, exports[SMALL], compared[SMALL], work)
    measure_splitting(results, exports[SMALL], work)
    validated = measure_validation(results, exports[SMALL], work)
    for count, export in exports.items():
        first = measure_loads(results, count, export, validated, work)
        measure_second_load(results, count, first, work)
    if not is_small:
        measure_large_bundle(results, work)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mapping")
    parser.add_argument("--small", action="store_true", help="without the 2,000,000 and the bundle of 500 MB")
    main(parser.parse_args().small)
