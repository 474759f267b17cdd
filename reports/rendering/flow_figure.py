"""Draws who was known, diagnosed and treated, and what became of the treated, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.rendering.lookup import Cell
from reports.rendering.svg import ACCENT, INK, SOFT, drawing, line, polyline, text

WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP, WIDEST = 780, 430, 62, 30, 240


@dataclass(frozen=True)
class Box:
    """A step of the flow: its name, its count, and the rule by which persons are in it."""

    name: str
    count: tuple[Cell, ...]
    rule: str


def draw_flow(steps: Sequence[Box], outcomes: Sequence[Box]) -> str:
    """The steps under each other, and below the last the outcomes beside each other."""
    left, parts, y = (WIDTH - BOX_WIDTH) / 2, [], 2.0
    for position, step in enumerate(steps):
        if position:
            parts.extend(_arrow(WIDTH / 2, y - GAP, y))
        parts.extend(_box(left, y, BOX_WIDTH, step))
        y += BOX_HEIGHT + GAP
    if outcomes:
        parts.extend(_outcomes(outcomes, y))
        y += BOX_HEIGHT + GAP
    said = "; ".join(f"{box.name} {''.join(cell.text for cell in box.count)}" for box in [*steps, *outcomes])
    return drawing(WIDTH, y - GAP + 4, "Flow of persons", said, parts)


def _outcomes(outcomes: Sequence[Box], y: float) -> list[str]:
    width = min((WIDTH - 12.0 * (len(outcomes) - 1) - 4) / len(outcomes), WIDEST)
    left = (WIDTH - len(outcomes) * width - 12 * (len(outcomes) - 1)) / 2
    bar = y - GAP / 2
    centres = [left + width / 2 + (width + 12) * i for i in range(len(outcomes))]
    parts = [line(WIDTH / 2, y - GAP, WIDTH / 2, bar, SOFT), line(centres[0], bar, centres[-1], bar, SOFT)]
    for centre, box in zip(centres, outcomes, strict=True):
        parts.extend(_arrow(centre, bar, y))
        parts.extend(_box(centre - width / 2, y, width, box))
    return parts


def _box(x: float, y: float, width: float, box: Box) -> list[str]:
    middle = x + width / 2
    parts = [
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BOX_HEIGHT}" rx="5" fill="#f3f7fb"'
        f' stroke="{ACCENT}"/>',
        text(middle, y + (23 if box.rule else 26), box.name, style='font-size="12.5"'),
    ]
    if not box.rule:
        return [*parts, text(middle, y + 47, box.count, style='font-weight="700" font-size="15"')]
    parts[-1] = text(x + 16, y + 26, box.name, anchor="start", style='font-weight="600" font-size="14"')
    parts.append(
        text(x + width - 16, y + 28, box.count, anchor="end", style='font-weight="700" font-size="18"')
    )
    return [*parts, text(x + 16, y + 48, box.rule, anchor="start", colour=SOFT, style='font-size="11.5"')]


def _arrow(x: float, top: float, bottom: float) -> list[str]:
    corners = [(x - 4, bottom - 7), (x + 4, bottom - 7), (x, bottom)]
    return [line(x, top, x, bottom - 6, INK), polyline(corners, f'fill="{INK}"')]
