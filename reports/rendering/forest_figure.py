"""Draws estimates with their limits under each other as SVG, beside a line of no difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from reports.rendering.lookup import Cell
from reports.rendering.svg import ACCENT, GRID, INK, SOFT, drawing, line, text

WIDTH, LABEL_WIDTH, NUMBER_WIDTH = 780, 210, 190
LINE_HEIGHT, TOP, BOTTOM = 30, 14, 52
LEFT, RIGHT = LABEL_WIDTH + 16, WIDTH - NUMBER_WIDTH
SPACINGS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100)


@dataclass(frozen=True)
class Bar:
    """One estimate: its label, the values to draw, and the numbers as they are printed."""

    label: str
    estimate: float
    low: float
    high: float
    numbers: tuple[Cell, ...]


@dataclass(frozen=True)
class Forest:
    """What is drawn; `reference` is the value of no difference, `axis` says what lies on which side of it."""

    title: str
    description: str
    axis: str
    reference: float
    bars: tuple[Bar, ...]


def draw_forest(forest: Forest) -> str:
    """The SVG of the estimates, one a line, on an axis that holds all limits and the reference."""
    ends = [forest.reference, *(end for bar in forest.bars for end in (bar.low, bar.high))]
    step = _step(max(ends) - min(ends))
    low, high = floor(min(ends) / step) * step, ceil(max(ends) / step) * step
    scale = _Scale(low, high if high > low else low + step)
    bottom = TOP + LINE_HEIGHT * len(forest.bars)
    parts = [*_axis(scale, step, bottom, forest.axis)]
    parts.append(line(scale.x(forest.reference), TOP, scale.x(forest.reference), bottom, INK, 1.2))
    for number, bar in enumerate(forest.bars):
        parts.extend(_bar(bar, scale, TOP + LINE_HEIGHT * (number + 0.5)))
    return drawing(WIDTH, bottom + BOTTOM, forest.title, forest.description, parts)


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def x(self, value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (value - self.low) / (self.high - self.low)


def _step(span: float) -> float:
    return next((step for step in SPACINGS if span / step <= 8), SPACINGS[-1])


def _axis(scale: _Scale, step: float, bottom: float, axis: str) -> list[str]:
    parts = []
    for number in range(round((scale.high - scale.low) / step) + 1):
        value = scale.low + number * step
        parts.append(line(scale.x(value), TOP, scale.x(value), bottom, GRID))
        parts.append(text(scale.x(value), bottom + 17, f"{value:g}", colour=SOFT))
    parts.append(line(LEFT, bottom, RIGHT, bottom, SOFT))
    parts.append(text((LEFT + RIGHT) / 2, bottom + 38, axis))
    return parts


def _bar(bar: Bar, scale: _Scale, y: float) -> Sequence[str]:
    square = scale.x(bar.estimate)
    return (
        text(LABEL_WIDTH, y + 4, bar.label, anchor="end"),
        line(scale.x(bar.low), y, scale.x(bar.high), y, ACCENT, 2),
        line(scale.x(bar.low), y - 5, scale.x(bar.low), y + 5, ACCENT, 2),
        line(scale.x(bar.high), y - 5, scale.x(bar.high), y + 5, ACCENT, 2),
        f'<rect x="{square - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="{ACCENT}"/>',
        text(RIGHT + 14, y + 4, bar.numbers, anchor="start"),
    )
