"""Draws a survival or incidence curve as SVG: steps, limits, censor marks, numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

import polars as pl

from reports.rendering.lookup import Cell
from reports.rendering.svg import ACCENT, BAND, GRID, INK, OTHER, SOFT, drawing, line, path, polyline, text

WIDTH, HEIGHT = 780, 380
LEFT, RIGHT, TOP = 74, 22, 16
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, 266
LABEL_WIDTH = 22
DASHED = 'stroke-dasharray="6 4"'
SPACINGS = (1, 2, 4, 8, 13, 26, 52, 104, 260)


@dataclass(frozen=True)
class AtRisk:
    """A number under the curve: the week, and the count with its row's key."""

    week: int
    count: Cell


@dataclass(frozen=True)
class Beside:
    """Another curve in the same figure, dashed: its name and its steps."""

    name: str
    steps: pl.DataFrame


@dataclass(frozen=True)
class Curve:
    """What is drawn. `steps` has week, probability, ci_low, ci_high, censored; weeks ascend.

    `starts_at` is the probability at week 0: 1 for survival, 0 for incidence. Curves that stand `beside` it
    are told apart by their names, this one's too.
    """

    title: str
    description: str
    axis: str
    steps: pl.DataFrame
    starts_at: float
    at_risk: tuple[AtRisk, ...] = ()
    name: str = ""
    beside: tuple[Beside, ...] = ()

    @property
    def longest(self) -> float:
        """The last week that is drawn."""
        weeks = [1.0, *self.steps["week"].to_list()]
        weeks += [week for other in self.beside for week in other.steps["week"].to_list()]
        return float(max([*weeks, *(mark.week for mark in self.at_risk)] if len(weeks) == 1 else weeks))


@dataclass(frozen=True)
class _Scale:
    longest: float

    def x(self, week: float) -> float:
        return LEFT + PLOT_WIDTH * week / self.longest

    def y(self, probability: float) -> float:
        return TOP + PLOT_HEIGHT * (1 - probability)


def is_crowded(curve: Curve) -> bool:
    """Whether the numbers at risk would lie on each other when the whole curve is drawn."""
    scale = _Scale(curve.longest)
    places = [scale.x(mark.week) for mark in curve.at_risk if mark.week <= curve.longest]
    return any(right - left < LABEL_WIDTH / 2 for left, right in pairwise(places))


def cut(curve: Curve, week: int) -> Curve:
    """The curve up to a week, at which it goes on level."""
    steps = curve.steps.filter(pl.col("week") <= week)
    last = steps.tail(1).with_columns(
        pl.lit(float(week)).alias("week"), pl.lit(0).cast(pl.Int64).alias("censored")
    )
    return replace(curve, steps=pl.concat([steps, last]))


def draw_curve(curve: Curve) -> str:
    """The SVG of one curve."""
    scale = _Scale(curve.longest)
    return drawing(
        WIDTH,
        HEIGHT if curve.at_risk else HEIGHT - 34,
        curve.title,
        curve.description,
        [
            *_axes(scale, curve.axis),
            *_limits(curve, scale),
            polyline(
                _points(curve, "probability", scale), f'fill="none" stroke="{ACCENT}" stroke-width="2.2"'
            ),
            *_censor_marks(curve.steps, scale),
            *_others(curve, scale),
            *_legend(curve),
            *_numbers_at_risk(curve.at_risk, scale),
        ],
    )


def _axes(scale: _Scale, axis: str) -> list[str]:
    bottom, parts = TOP + PLOT_HEIGHT, []
    for tenth in range(0, 11, 2):
        y = scale.y(tenth / 10)
        parts.append(line(LEFT, y, WIDTH - RIGHT, y, GRID))
        parts.append(text(LEFT - 9, y + 4, f"{tenth / 10:.1f}", anchor="end", colour=SOFT))
    for week in _ticks(scale.longest):
        x = scale.x(week)
        parts.append(line(x, bottom, x, bottom + 5, SOFT))
        parts.append(text(x, bottom + 19, str(week), colour=SOFT))
    parts.append(line(LEFT, bottom, WIDTH - RIGHT, bottom, SOFT))
    parts.append(line(LEFT, TOP, LEFT, bottom, SOFT))
    parts.append(text(LEFT + PLOT_WIDTH / 2, bottom + 37, "Weeks since the start"))
    middle = TOP + PLOT_HEIGHT / 2
    parts.append(text(18, middle, axis, style=f'transform="rotate(-90 18 {middle:.1f})"'))
    return parts


def _ticks(longest: float) -> list[int]:
    spacing = next((s for s in SPACINGS if longest / s <= 11), ceil(longest / 10))
    return list(range(0, int(longest) + 1, spacing))


def _points(curve: Curve, column: str, scale: _Scale) -> list[tuple[float, float]]:
    """The corners of a step function; a step without a limit keeps the former one."""
    points = [(scale.x(0), scale.y(curve.starts_at))]
    for week, probability in curve.steps.select("week", column).iter_rows():
        points.append((scale.x(week), points[-1][1]))
        if probability is not None:
            points.append((scale.x(week), scale.y(probability)))
    return points


def _limits(curve: Curve, scale: _Scale) -> list[str]:
    low, high = _points(curve, "ci_low", scale), _points(curve, "ci_high", scale)
    return [f'<path d="{path([*low, *reversed(high)])} Z" fill="{BAND}" fill-opacity="0.13"/>']


def _others(curve: Curve, scale: _Scale) -> list[str]:
    parts = []
    for other in curve.beside:
        points = _points(replace(curve, steps=other.steps), "probability", scale)
        parts.append(polyline(points, f'fill="none" stroke="{OTHER}" stroke-width="2.2" {DASHED}'))
        parts.extend(_censor_marks(other.steps, scale))
    return parts


def _legend(curve: Curve) -> list[str]:
    if not curve.beside:
        return []
    parts, right = [], WIDTH - RIGHT - 8
    named = [(curve.name, ACCENT, ""), *((other.name, OTHER, DASHED) for other in curve.beside)]
    for number, (name, colour, dash) in enumerate(named):
        y = TOP + 14 + 18 * number
        sample = [(right - 30, y - 4), (right, y - 4)]
        parts.append(polyline(sample, f'fill="none" stroke="{colour}" stroke-width="2.2" {dash}'))
        parts.append(text(right - 38, y, name, anchor="end"))
    return parts


def _censor_marks(steps: pl.DataFrame, scale: _Scale) -> list[str]:
    return [
        line(scale.x(week), scale.y(probability) - 5, scale.x(week), scale.y(probability) + 5, INK, 1.3)
        for week, probability in steps.filter(pl.col("censored") > 0)
        .select("week", "probability")
        .iter_rows()
    ]


def _numbers_at_risk(marks: Sequence[AtRisk], scale: _Scale) -> list[str]:
    """The counts under their weeks; where weeks lie closer than digits are wide, the label moves right."""
    if not marks:
        return []
    y, parts, free_from = HEIGHT - 8, [], float("-inf")
    parts.append(text(LEFT - 14, y - 17, "Week", anchor="end", colour=SOFT))
    parts.append(text(LEFT - 14, y, "At risk", anchor="end"))
    for mark in marks:
        if mark.week <= scale.longest:
            x = max(scale.x(mark.week), free_from)
            parts.append(text(x, y - 17, str(mark.week), colour=SOFT))
            parts.append(text(x, y, [mark.count]))
            free_from = x + LABEL_WIDTH
    return parts
