"""The curves that the report draws, as data: every step, with its limits and the censored at it."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.competing_risks import estimate_incidence
from reports.statistics.groups import Frames, table
from reports.statistics.incidence import analysis_of
from reports.statistics.kaplan_meier import Curve, estimate_curve
from reports.statistics.rows import weeks
from reports.statistics.survival_by_event import simon_makuch_analysis, simon_makuch_curves
from studies.protocol import Protocol

SCHEMA = {
    "curve": pl.String,
    "week": pl.Float64,
    "probability": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "at_risk": pl.Int64,
    "events": pl.Int64,
    "censored": pl.Int64,
}


def estimate_curves(frames: Frames, protocol: Protocol) -> pl.DataFrame:
    """One row a step of each Kaplan-Meier and cumulative incidence curve of all persons; times in weeks.

    A curve bears the name of its analysis, and of its level where there are several; probabilities are
    0-1; `at_risk` is just before the step.
    """
    rows = [
        *_survival_steps(frames, protocol),
        *_simon_makuch_steps(frames, protocol),
        *_incidence_steps(frames, protocol),
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _survival_steps(frames: Frames, protocol: Protocol) -> Iterator[tuple[object, ...]]:
    for name in protocol.endpoints:
        times = _of(frames, name)
        curve = estimate_curve(
            times["days"], times["status"] == 1, interval=protocol.analyses.survival_interval
        )
        yield from _steps(name, curve)


def _simon_makuch_steps(frames: Frames, protocol: Protocol) -> Iterator[tuple[object, ...]]:
    if protocol.survival_by is None:
        return
    analysis = simon_makuch_analysis(protocol.survival_by)
    for level, curve in simon_makuch_curves(table(frames, "time_dependent"), protocol).items():
        yield from _steps(f"{analysis}.{level}", curve)


def _steps(name: str, curve: Curve) -> Iterator[tuple[object, ...]]:
    for step in curve.steps():
        yield (
            name,
            weeks(step.time),
            step.survival,
            step.ci_low,
            step.ci_high,
            step.at_risk,
            step.events,
            step.censored,
        )


def _incidence_steps(frames: Frames, protocol: Protocol) -> Iterator[tuple[object, ...]]:
    for name in protocol.incidences:
        times = _of(frames, analysis_of(name))
        curve = estimate_incidence(
            times["days"], times["status"], interval=protocol.analyses.survival_interval
        )
        for step in curve.steps():
            yield (
                analysis_of(name),
                weeks(step.time),
                step.incidence,
                step.ci_low,
                step.ci_high,
                step.at_risk,
                step.events,
                0,
            )


def _of(frames: Frames, endpoint: str) -> pl.DataFrame:
    return table(frames, "endpoint").filter(pl.col("endpoint") == endpoint)
