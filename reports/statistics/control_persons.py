"""The persons of the study and of its control group side by side: covariates as numbers, and outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.statistics.groups import Frames, table
from reports.statistics.risk_sets import Floats
from studies.protocol import Control

PREFIX = "control_"
NUMBERS = ("age", "age_at_diagnosis", "prior_regimens")
LEVELS = ("sex", "phenotype", "refractory")
UNKNOWN = ("unknown", "missing")
PROPORTION = "response."
MOST = 1e150


@dataclass(frozen=True)
class Column:
    """A covariate, or one level of it, as numbers; `in_model` is false for the level that others are against."""

    covariate: str
    name: str
    values: Floats
    in_model: bool


@dataclass(frozen=True)
class Outcome:
    """What is compared: `event` 0 or 1 a person, and for a time to event its `time` in days."""

    name: str
    event: Floats
    time: Floats | None = None


@dataclass(frozen=True)
class Persons:
    """Both groups, a position a person; `missing` has the covariates that aren't known, each a mask."""

    is_study: Floats
    columns: tuple[Column, ...]
    outcomes: tuple[Outcome, ...]
    missing: Mapping[str, NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.is_study)

    @property
    def design(self) -> Floats:
        """The columns of the propensity model, a row a person."""
        chosen = [column.values for column in self.columns if column.in_model]
        return np.column_stack(chosen) if chosen else np.empty((len(self), 0))

    @property
    def is_complete(self) -> NDArray[np.bool_]:
        """Who lacks no covariate."""
        lacking = np.zeros(len(self), dtype=bool)
        for mask in self.missing.values():
            lacking |= mask
        return ~lacking

    def chosen(self, positions: NDArray[np.int64] | NDArray[np.bool_]) -> Persons:
        """The persons at the positions, as often as these stand there."""
        return Persons(
            self.is_study[positions],
            tuple(replace(column, values=column.values[positions]) for column in self.columns),
            tuple(
                Outcome(o.name, o.event[positions], None if o.time is None else o.time[positions])
                for o in self.outcomes
            ),
            {name: mask[positions] for name, mask in self.missing.items()},
        )


def control_persons(frames: Frames, rules: Control) -> Persons:
    """Both groups from their tables, those of the controls named `control_cohort` and so on; sorted by person.

    A missing number is the mean of the known ones, with a column of its own that says so. Who was treated with the
    index drug is of the study alone.
    """
    # Sums of doubles depend on their order, and a bootstrap on positions.
    treated = table(frames, "cohort").sort("person_id")
    others = table(frames, f"{PREFIX}cohort").join(treated, on="person_id", how="anti").sort("person_id")
    both = [(treated, ""), (others, PREFIX)]
    is_study = np.concatenate([np.ones(treated.height), np.zeros(others.height)])
    columns: list[Column] = []
    missing: dict[str, NDArray[np.bool_]] = {}
    for name in rules.covariates:
        if name in LEVELS:
            levels = pl.concat([cohort[name].cast(pl.String) for cohort, _ in both]).fill_null("unknown")
            columns += _level_columns(name, levels)
            missing[name] = levels.is_in(UNKNOWN).to_numpy()
        else:
            numbers = np.concatenate([_numbers(frames, cohort, prefix, name) for cohort, prefix in both])
            columns += _number_columns(name, numbers)
            missing[name] = np.isnan(numbers)
    outcomes = tuple(_outcome(frames, both, name) for name in rules.outcomes)
    return Persons(is_study, tuple(columns), outcomes, missing)


def _level_columns(name: str, levels: pl.Series) -> Iterator[Column]:
    for number, level in enumerate(sorted(levels.unique())):
        yield Column(name, f"{name}: {level}", (levels == level).cast(pl.Float64).to_numpy(), number > 0)


def _number_columns(name: str, numbers: Floats) -> Iterator[Column]:
    lacks = np.isnan(numbers)
    known = numbers[~lacks]
    mean = float(known.mean()) if len(known) else 0.0
    yield Column(name, name, np.where(lacks, mean, numbers), True)
    if lacks.any():
        yield Column(name, f"{name}: missing", lacks.astype(np.float64), True)


def _numbers(frames: Frames, cohort: pl.DataFrame, prefix: str, name: str) -> Floats:
    """A covariate of the cohort, or the last measured value at or before the index date; NaN where there is none."""
    if name in NUMBERS:
        return _floats(cohort[name])
    baseline = table(frames, f"{prefix}baseline")
    # A value that is only bounded is no number.
    measured = baseline.filter((pl.col("codelist") == name) & pl.col("comparator").is_null())
    joined = cohort.select("person_id").join(
        measured.select("person_id", "value"), on="person_id", how="left", maintain_order="left"
    )
    return _floats(joined["value"])


def _floats(values: pl.Series) -> Floats:
    numbers = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    # What can't be squared in a double measures nothing, and would be the only thing that the model sees.
    return np.where(np.abs(numbers) < MOST, numbers, np.nan)


def _outcome(frames: Frames, both: list[tuple[pl.DataFrame, str]], name: str) -> Outcome:
    if name.startswith(PROPORTION):
        achieved = pl.col("outcomes").list.contains(name.removeprefix(PROPORTION)).alias(name)
        flags = [
            _joined(cohort, table(frames, f"{prefix}response").with_columns(achieved), name)
            for cohort, prefix in both
        ]
        return Outcome(name, np.concatenate(flags))
    times = [
        (cohort, table(frames, f"{prefix}endpoint").filter(pl.col("endpoint") == name))
        for cohort, prefix in both
    ]
    status = np.concatenate([_joined(cohort, endpoint, "status") for cohort, endpoint in times])
    days = np.concatenate([_joined(cohort, endpoint, "days") for cohort, endpoint in times])
    return Outcome(name, (status == 1).astype(np.float64), days)


def _joined(cohort: pl.DataFrame, frame: pl.DataFrame, column: str) -> Floats:
    joined = cohort.select("person_id").join(
        frame.select("person_id", column), on="person_id", how="left", maintain_order="left"
    )
    return joined[column].cast(pl.Float64).to_numpy()
