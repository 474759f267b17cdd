"""Times the statistics: from `clinical.*` to results.csv, for 60 persons and for up to 100,000 simulated ones.

Each size is a process of its own, on at most two threads of DuckDB. Prints seconds, the processors' seconds (which
a busy machine stretches less), persons a second and peak memory, and which of the aims are reached.

    python -m benchmarks.statistics [--small]

`--small` leaves out the 100,000 persons.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import duckdb

from benchmarks.processes import Measured, measured
from benchmarks.results import Results

SMALLEST, SIZES = 60, (1_000, 10_000, 100_000)
REPETITIONS = {SMALLEST: 3, 1_000: 3}  # the larger ones are measured once
FASTEST, LONGEST, MEMORY = 3.0, 60.0, 2_000.0
LINEAR = 1.25  # as many times the persons may take as many times the seconds, and a quarter more


def main(is_small: bool) -> None:
    """Prints everything; raises MeasurementError where a measured process fails."""
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    print(f"load of the machine before: {load:.1f} on {os.cpu_count()} processors")
    results = Results()
    results.section("From clinical.* to results.csv and the curves, reference study (persons for resources)")
    with tempfile.TemporaryDirectory(prefix="cove-benchmark-") as folder:
        measure(Path(folder), results, (SMALLEST, *SIZES[: 2 if is_small else 3]))
    results.summary()


def measure(work: Path, results: Results, sizes: tuple[int, ...]) -> None:
    """Every size, and how the time grows between them."""
    empty = work / "empty.duckdb"
    measured("benchmarks.treated", "empty", empty)
    runs = {size: _measure(work, results, empty, size) for size in sizes}
    results.at_most(f"{SMALLEST} persons' analyses under 3 s", runs[SMALLEST].seconds, FASTEST, " s")
    largest = max(sizes)
    if largest == SIZES[-1]:
        results.at_most(f"{largest:,} persons under 60 s", runs[largest].seconds, LONGEST, " s")
        results.memory_within(f"{largest:,} persons within 2 GB", runs[largest].peak, MEMORY)
    for fewer, more in pairwise(SIZES):
        if more in runs:
            growth = runs[more].said["processors"] / runs[fewer].said["processors"] / (more / fewer)
            results.at_most(f"near-linear from {fewer:,} to {more:,}: times linear", growth, LINEAR)


def _measure(work: Path, results: Results, empty: Path, size: int) -> Measured:
    """The best of several runs, each on the tables as they were before it."""
    file, found = work / f"{size}.duckdb", []
    measured("benchmarks.treated", "fill", empty, file, size)
    for _ in range(REPETITIONS.get(size, 1)):
        out = work / "out"
        found.append(measured("benchmarks.treated", "analyse", file, out, size))
        shutil.rmtree(out)
    file.unlink()
    best = min(found, key=lambda run: run.seconds)
    results.line(f"{size:,} persons", size, best.seconds, peak=best.peak)
    parts = ", ".join(
        f"{name} {best.said[name]:.2f} s" for name in ("building", "reading", "estimating", "curves")
    )
    results.note(f"{parts}; {best.said['processors']:.1f} s of processors")
    return best


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.statistics")
    parser.add_argument("--small", action="store_true", help="without the 100,000 persons")
    main(parser.parse_args().small)
