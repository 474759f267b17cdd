"""Draws a survival or incidence curve as SVG: steps, limits, censor marks, numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

import polars as pl

WIDTH, HEIGHT = 760, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 18, 92
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


@dataclass(frozen=True)
class AtRisk:
    """A number under the curve: the week, and the count as the results print it."""

    week: int
    text: str


@dataclass(frozen=True)
class _Scale:
    longest: float

    def x(self, week: float) -> float:
        return LEFT + PLOT_WIDTH * week / self.longest

    def y(self, probability: float) -> float:
        return TOP + PLOT_HEIGHT * (1 - probability)


def draw_curve(
    steps: pl.DataFrame, *, title: str, axis: str, starts_at: float, at_risk: Sequence[AtRisk]
) -> str:
    """The SVG of one curve. `steps` has week, probability, ci_low, ci_high, censored; weeks ascending.

    `starts_at` is the probability at week 0: 1 for survival, 0 for incidence.
    """
    longest = max([1.0, *steps["week"].to_list(), *(float(mark.week) for mark in at_risk)])
    scale = _Scale(longest)
    parts = [
        f'<svg class="curve" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title, quote=True)}" font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        *_axes(scale, axis),
        *_limits(steps, scale, starts_at),
        f'<path d="{_path(steps, scale, starts_at)}" fill="none" stroke="#1d4f91" stroke-width="2"/>',
        *_censor_marks(steps, scale),
        *_numbers_at_risk(at_risk, scale),
        "</svg>",
    ]
    return "\n".join(parts)


def _axes(scale: _Scale, axis: str) -> list[str]:
    parts = [f'<rect x="0" y="0" width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for tenth in range(0, 11, 2):
        y = scale.y(tenth / 10)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, "#e3e6ea"))
        parts.append(_text(LEFT - 8, y + 4, f"{tenth / 10:.1f}", "end"))
    for week in _ticks(scale.longest):
        x = scale.x(week)
        parts.append(_line(x, TOP + PLOT_HEIGHT, x, TOP + PLOT_HEIGHT + 5, "#5b6570"))
        parts.append(_text(x, TOP + PLOT_HEIGHT + 18, str(week), "middle"))
    parts.append(_line(LEFT, TOP + PLOT_HEIGHT, WIDTH - RIGHT, TOP + PLOT_HEIGHT, "#5b6570"))
    parts.append(_line(LEFT, TOP, LEFT, TOP + PLOT_HEIGHT, "#5b6570"))
    parts.append(_text(LEFT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT + 34, "Weeks", "middle"))
    middle = TOP + PLOT_HEIGHT / 2
    parts.append(
        f'<text x="16" y="{middle:.1f}" text-anchor="middle" fill="#2b333b"'
        f' transform="rotate(-90 16 {middle:.1f})">{escape(axis)}</text>'
    )
    return parts


def _ticks(longest: float) -> list[int]:
    spacing = next((s for s in (1, 2, 4, 8, 13, 26, 52, 104) if longest / s <= 9), ceil(longest / 8))
    return list(range(0, int(longest) + 1, spacing))


def _points(steps: pl.DataFrame, column: str, scale: _Scale, starts_at: float) -> list[tuple[float, float]]:
    """The corners of a step function; a step without a limit keeps the former one."""
    points = [(scale.x(0), scale.y(starts_at))]
    for week, probability in steps.select("week", column).iter_rows():
        points.append((scale.x(week), points[-1][1]))
        if probability is not None:
            points.append((scale.x(week), scale.y(probability)))
    return points


def _path(steps: pl.DataFrame, scale: _Scale, starts_at: float) -> str:
    return _polyline(_points(steps, "probability", scale, starts_at))


def _limits(steps: pl.DataFrame, scale: _Scale, starts_at: float) -> list[str]:
    low = _points(steps, "ci_low", scale, starts_at)
    high = _points(steps, "ci_high", scale, starts_at)
    outline = _polyline([*low, *reversed(high)])
    return [f'<path d="{outline} Z" fill="#1d4f91" fill-opacity="0.12" stroke="none"/>']


def _polyline(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _censor_marks(steps: pl.DataFrame, scale: _Scale) -> list[str]:
    censored = steps.filter(pl.col("censored") > 0)
    return [
        _line(scale.x(week), scale.y(probability) - 4, scale.x(week), scale.y(probability) + 4, "#1d4f91")
        for week, probability in censored.select("week", "probability").iter_rows()
    ]


def _numbers_at_risk(at_risk: Sequence[AtRisk], scale: _Scale) -> list[str]:
    if not at_risk:
        return []
    y = HEIGHT - 14
    parts = [_text(LEFT - 8, y, "At risk", "end")]
    shown_to = float("-inf")
    for mark in at_risk:
        x = scale.x(mark.week)
        # Early weeks may lie closer than their digits are wide.
        if x - shown_to >= 16:
            parts.append(_text(x, y - 14, f"w{mark.week}", "middle", "#5b6570"))
            parts.append(_text(x, y, mark.text, "middle"))
            shown_to = x
    return parts


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#2b333b") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
