"""Times a view: the engine against the query written by hand, and the peers on the same lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import run_peers
from benchmarks.processes import Measured, MeasurementError, measured
from benchmarks.queries import fingerprint, view_path
from benchmarks.results import Results
from benchmarks.samples import SUITE

REPETITIONS = 3
WHERE_SHORT = 7  # runs of a second or less differ more from each other
SHORT = 200_000
LEAST_RATIO = 0.8
GIGABYTE = 1000  # MB


@dataclass(frozen=True)
class Compared:
    """The best of each way's runs: seconds, and the rows that both wrote."""

    count: int
    engine: float
    hand: float
    rows: int


def measure_view(results: Results, name: str, count: int, file: Path, work: Path) -> Compared:
    """Runs both ways in turn: once to see that they write the same, then for the time.

    Raises MeasurementError where the results differ.
    """
    outs = {how: work / f"{how}.parquet" for how in ("engine", "hand")}
    runs: dict[str, list[Measured]] = {how: [] for how in outs}
    for repetition in range(1 + (WHERE_SHORT if count <= SHORT else REPETITIONS)):
        for how, out in outs.items():
            run = measured("benchmarks.queries", how, name, file, out)
            if repetition:
                runs[how].append(run)
        if not repetition:
            _check_same(name, outs)
    rows = fingerprint(outs["engine"])[0]
    best = {how: min(made, key=lambda run: run.seconds) for how, made in runs.items()}
    for how, made in runs.items():
        results.line(f"{name}, {how}", count, best[how].seconds, size=file.stat().st_size, peak=_peak(made))
    engine, hand = best["engine"].seconds, best["hand"].seconds
    compiling = min(run.said["compiling"] for run in runs["engine"])
    with_compiling = hand / (engine + compiling)
    results.note(
        f"{rows:,} rows, the same in both; ratio {hand / engine:.2f}; {with_compiling:.2f} with the "
        f"{compiling:.2f} s in which the view is compiled"
    )
    if name == "observation":
        results.at_least(
            f"0.8 of the query written by hand, {count:,} Observations", hand / engine, LEAST_RATIO
        )
        results.memory_within(
            f"{count:,} Observations through the view within 1 GB", _peak(runs["engine"]), GIGABYTE
        )
    return Compared(count, engine, hand, rows)


def measure_peers(results: Results, file: Path, compared: Compared, work: Path) -> None:
    """Prints how each peer does on the study's own Observation view."""
    results.section("The same Observation view by other implementations")
    speed = compared.count / compared.engine
    for run in run_peers(view_path("observation"), file, SUITE, work):
        if run.measured is None:
            results.note(f"{run.package}: not run; {run.reason}")
            continue
        results.line(run.package, run.count, run.measured.seconds, peak=run.measured.peak)
        ratio = speed / (run.count / run.measured.seconds)
        results.note(
            f"{run.measured.said['rows']:,} rows; the engine is {ratio:,.0f} times as fast; {run.cases}"
        )


def _check_same(name: str, outs: dict[str, Path]) -> None:
    found = {how: fingerprint(out) for how, out in outs.items()}
    if found["engine"] != found["hand"]:
        raise MeasurementError(f"{name}: the query written by hand gives other rows: {found}")


def _peak(runs: list[Measured]) -> float | None:
    return max((run.peak for run in runs if run.peak), default=None)
