"""Runs R on the data sets of a test, and compares numbers as R and we print them: to 1e-8, or both empty."""

from __future__ import annotations

import csv
import math
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

TOLERANCE = 1e-8

PACKAGES = ("survival", "cmprsk")


def _lacking() -> str:
    """What of R isn't installed; empty when everything is."""
    if shutil.which("Rscript") is None:
        return "Rscript is not installed"
    ask = "cat(Filter(function(p) !nzchar(system.file(package = p)), commandArgs(TRUE)))"
    found = subprocess.run(
        ["Rscript", "--vanilla", "-e", ask, *PACKAGES], capture_output=True, text=True, check=False
    )
    return f"R lacks {found.stdout}" if found.stdout or found.returncode else ""


LACKING = _lacking()
# What the tests then leave out; `.ci/run` installs R and both packages.
needs_r = pytest.mark.skipif(bool(LACKING), reason=f"numbers aren't compared with R's: {LACKING}")


@dataclass(frozen=True)
class DataSet:
    """One random data set: times with ties, causes 0-2, groups, and an entry before each time."""

    name: str
    time: np.ndarray
    cause: np.ndarray
    group: np.ndarray
    start: np.ndarray

    @property
    def stop(self) -> np.ndarray:
        """The time as the end of an interval, which can't be 0."""
        return np.where(self.time == 0, 0.25, self.time)

    @property
    def event(self) -> np.ndarray:
        return (self.cause == 1).astype(int)


def random_data_sets(count: int, seed: int) -> Iterator[DataSet]:
    """Samples of 1 to 79 with ties, heavy or no censoring, times of 0, one person, nobody with an event."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        n = 1 if number % 25 == 0 else int(rng.integers(2, 80))
        grid = int(rng.choice([3, 8, 30, 400]))
        time = np.ceil(rng.exponential(grid / 2, n)) / rng.choice([1.0, 7.0])
        time[rng.random(n) < rng.choice([0.0, 0.05])] = 0.0
        censored = float(rng.choice([0.0, 0.2, 0.5, 0.9, 1.0], p=[0.15, 0.3, 0.3, 0.2, 0.05]))
        cause = np.where(rng.random(n) < censored, 0, rng.choice([1, 2], n, p=[0.7, 0.3]))
        group = rng.integers(0, int(rng.choice([2, 3])), n)
        start = np.where(rng.random(n) < 0.4, np.floor(time * rng.random(n)), 0.0)
        yield DataSet(f"set{number}", time, cause, group, np.where(start < time, start, 0.0))


def run_r(script: str, data_sets: Iterable[DataSet], folder: Path) -> dict[str, list[float | None]]:
    """The numbers that `script` gives for each data set, by "set key"; NA and NaN as None.

    The script sees a data frame `d` (set, start, stop, time, cause, event, group), one set at a time, as the
    argument of its function `f`, which returns a named list of numeric vectors.
    """
    rows, results, program = folder / "rows.csv", folder / "results.csv", folder / "program.R"
    with rows.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "start", "stop", "time", "cause", "event", "group"])
        for data in data_sets:
            for i in range(len(data.time)):
                times = [repr(float(column[i])) for column in (data.start, data.stop, data.time)]
                writer.writerow([data.name, *times, data.cause[i], data.event[i], data.group[i]])
    program.write_text(_WRAPPER.replace("SCRIPT", script))
    command = ["Rscript", "--vanilla", str(program), str(rows), str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, list[float | None]] = {}
    with results.open(newline="") as file:
        for row in csv.DictReader(file):
            answers.setdefault(f"{row['set']} {row['key']}", []).append(_number(row["value"]))
    return answers


_WRAPPER = """
suppressMessages({library(survival); library(cmprsk)})
arguments <- commandArgs(TRUE)
SCRIPT
all <- read.csv(arguments[1], stringsAsFactors = FALSE)
out <- lapply(split(all, factor(all$set, unique(all$set))), function(d) {
    answer <- f(d)
    do.call(rbind, lapply(names(answer), function(key) if (length(answer[[key]]) > 0)
        data.frame(set = d$set[1], key = key, value = sprintf("%.17g", as.numeric(answer[[key]])))))
})
write.csv(do.call(rbind, out), arguments[2], row.names = FALSE)
"""


def _number(text: str) -> float | None:
    if text in ("NA", "NaN", "Inf", "-Inf"):
        return None
    return float(text)


def agree(ours: float | None, theirs: float | None) -> bool:
    """Whether two numbers agree: |a - b| <= 1e-8 max(1, |b|), or neither is there."""
    if ours is not None and math.isnan(ours):
        ours = None
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return abs(ours - theirs) <= TOLERANCE * max(1.0, abs(theirs))


def disagreements(
    ours: Mapping[str, Sequence[float | None]], theirs: Mapping[str, Sequence[float | None]]
) -> list[str]:
    """Every number that differs, with its key; a number on one side only differs."""
    found = [f"{key}: on one side only" for key in sorted(set(ours) ^ set(theirs))]
    for key in sorted(set(ours) & set(theirs)):
        if len(ours[key]) != len(theirs[key]):
            found.append(f"{key}: {len(ours[key])} numbers, {len(theirs[key])} in R")
            continue
        for position, (one, other) in enumerate(zip(ours[key], theirs[key], strict=True)):
            if not agree(one, other):
                found.append(f"{key}[{position}]: {one!r}, {other!r} in R")
    return found
