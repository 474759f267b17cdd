"""Times the splitter on each form of file, alone and with the sorting of a load; and one very large bundle."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.processes import measured
from benchmarks.results import Results
from benchmarks.samples import originals, replicated, write_bundle

BUNDLE = 150_000_000
LARGE_BUNDLE = 500_000_000
ENDLESS = 1 << 40
REPETITIONS = 3
LEAST_SPEED = 200.0  # MB/s
TWO_GIGABYTES = 2000  # MB


def measure_splitting(results: Results, lines: Path, work: Path) -> None:
    """Megabytes a second of NDJSON, of a bundle, and of one written over many lines."""
    results.section("Taking files apart")
    found = originals("Observation")
    files = {
        "NDJSON": lines,
        "a bundle": work / "bundle.json",
        "a pretty-printed bundle": work / "pretty.json",
    }
    write_bundle(files["a bundle"], replicated(found, ENDLESS), size=BUNDLE)
    write_bundle(files["a pretty-printed bundle"], replicated(found, ENDLESS), size=BUNDLE, is_pretty=True)
    for what, title in (("split", "splitting"), ("route", "splitting and sorting")):
        for name, file in files.items():
            speed = _measure_file(results, what, f"{title} {name}", file)
            results.at_least(f"200 MB/s {title} {name}", speed, LEAST_SPEED, " MB/s")
    for name in ("a bundle", "a pretty-printed bundle"):
        files[name].unlink()


def _measure_file(results: Results, what: str, title: str, file: Path) -> float:
    runs = [measured("benchmarks.loads", what, file) for _ in range(REPETITIONS)]
    best = min(runs, key=lambda run: run.seconds)
    size = file.stat().st_size
    peak = max((run.peak for run in runs if run.peak), default=None)
    results.line(title, best.said["pieces"], best.seconds, size=size, peak=peak)
    return size / best.seconds / 1e6


def measure_large_bundle(results: Results, work: Path) -> None:
    """One bundle of 500 MB from landing to fhir.*."""
    results.section("One bundle of 500 MB, landing to fhir.*")
    folder, home = work / "bundle", work / "home"
    folder.mkdir()
    write_bundle(folder / "bundle.json", replicated(originals("Observation"), ENDLESS), size=LARGE_BUNDLE)
    run = measured("benchmarks.loads", "load", home, folder)
    results.line("one bundle", run.said["resources"], run.seconds, size=LARGE_BUNDLE, peak=run.peak)
    results.memory_within("one bundle of 500 MB within 2 GB", run.peak, TWO_GIGABYTES)
    for made in (folder, home):
        shutil.rmtree(made)
