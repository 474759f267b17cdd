"""Times a whole load against the bare query and against full validation, and what a second load costs."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Measured, MeasurementError, measured
from benchmarks.results import Results
from benchmarks.samples import write_changed

VALIDATED = 20_000
REPETITIONS = {200_000: 3}  # a larger one is measured once
EVERY = 100  # one resource in so many changes before the second load
GIGABYTE = 1000  # MB
MOST_QUERIES, LEAST_TIMES, MOST_SHARE = 5.0, 10.0, 5.0


@dataclass(frozen=True)
class FirstLoad:
    """A load that was measured: the file that it read, and the home that it left."""

    export: Path
    home: Path
    loading: float  # seconds, from the landed file


def measure_validation(results: Results, lines: Path, work: Path) -> Path:
    """Prints the speed of validating in full; returns the file of the lines that were validated."""
    results.section("Validating each Observation in full")
    part = work / "validated.ndjson"
    with lines.open("rb") as source:
        part.write_bytes(b"".join(itertools.islice(source, VALIDATED)))
    for how, name in (("models", "fhir.resources"), ("engine", "the engine's full validation")):
        for processes in (1, 2):
            run = measured("benchmarks.loads", "validate", part, how, processes)
            results.line(
                f"{name}, {processes} process{'es' * (processes > 1)}", VALIDATED, run.seconds, peak=run.peak
            )
        results.note(f"{run.said['invalid']:,} refused")
    return part


def measure_loads(results: Results, count: int, export: Path, validated: Path, work: Path) -> FirstLoad:
    """Landing to fhir.* in a clean home; raises MeasurementError when a resource isn't accounted for.

    The bare query and the validation, with which it is compared, take turns with it.
    """
    results.section(f"Landing to fhir.*, {count:,} Observations")
    folder, home = work / "first", work / "home"
    folder.mkdir()
    # A link of the same file system: the load copies what it lands.
    (folder / "observations.ndjson").hardlink_to(export)
    bare, models, loads = [_bare(export, work)], [_models(validated)], []
    for _ in range(REPETITIONS.get(count, 1)):
        shutil.rmtree(home, ignore_errors=True)
        loads.append(measured("benchmarks.loads", "load", home, folder))
        _check_whole(loads[-1], count)
        bare.append(_bare(export, work))
        models.append(_models(validated))
    shutil.rmtree(folder)
    _compare(results, export, _best(bare), _best(models), loads, count)
    return FirstLoad(export, home, _best(loads, "loading").said["loading"])


def _bare(export: Path, work: Path) -> Measured:
    return measured("benchmarks.queries", "hand", "observation", export, work / "bare.parquet")


def _models(validated: Path) -> Measured:
    return measured("benchmarks.loads", "validate", validated, "models", 1)


def _best(runs: list[Measured], by: str = "seconds") -> Measured:
    return min(runs, key=lambda run: run.said[by])


def _compare(
    results: Results, export: Path, bare: Measured, models: Measured, loads: list[Measured], count: int
) -> None:
    best, size = _best(loads, "loading"), export.stat().st_size
    loading = best.said["loading"]
    peak = max((run.peak for run in loads if run.peak), default=None)
    results.line("the query written by hand, to Parquet", count, bare.seconds, size=size, peak=bare.peak)
    results.line("fhir.resources, 1 process", VALIDATED, models.seconds, peak=models.peak)
    results.line("landing to fhir.*", count, loading, size=size, peak=peak)
    queries, times = loading / bare.seconds, (count / loading) / (VALIDATED / models.seconds)
    results.note(
        f"{queries:.1f} times the bare query, {times:.1f} times as fast as fhir.resources; "
        f"before it the file was landed in {best.said['landing']:.2f} s"
    )
    results.at_most(f"landing to fhir.* at most 5 bare queries, {count:,}", queries, MOST_QUERIES)
    results.at_least(f"10 times as fast as fhir.resources, {count:,}", times, LEAST_TIMES)
    results.memory_within(f"loading {count:,} Observations within 1 GB", peak, GIGABYTE)


def measure_second_load(results: Results, count: int, first: FirstLoad, work: Path) -> None:
    """The changes alone, as an export since the last one gives them; then everything again."""
    results.section(f"A second load in which 1% of {count:,} changed")
    found = {}
    for name, with_unchanged in (("the changes alone", False), ("the whole export again", True)):
        folder = work / "second"
        folder.mkdir()
        with first.export.open("rb") as source:
            write_changed(folder / "observations.ndjson", source, every=EVERY, with_unchanged=with_unchanged)
        run = measured("benchmarks.loads", "load", first.home, folder)
        _check_whole(run, count if with_unchanged else count // EVERY)
        shutil.rmtree(folder)
        found[name] = 100 * run.said["loading"] / first.loading
        results.line(name, run.said["resources"], run.said["loading"], peak=run.peak)
        results.note(f"{found[name]:.1f}% of the first load; landed in {run.said['landing']:.2f} s")
        results.memory_within(f"loading {name}, {count:,}, within 1 GB", run.peak, GIGABYTE)
    results.at_most(
        f"a second load with 1% changed at most 5%, {count:,}", found["the changes alone"], MOST_SHARE, "%"
    )
    shutil.rmtree(first.home)


def _check_whole(run: Measured, count: int) -> None:
    said = run.said
    if (said["resources"], said["mapped"], said["lost"]) != (count, count, 0):
        raise MeasurementError(
            f"of {count} resources {said['mapped']} were mapped, {said['lost']} files lost some"
        )
