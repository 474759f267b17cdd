"""The few SVG elements that the figures are drawn with; every text is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from reports.rendering.lookup import Cell

INK, SOFT, GRID, ACCENT, BAND, OTHER = "#1b2733", "#4d5a67", "#e2e7ec", "#17508f", "#17508f", "#a34a12"


def drawing(width: float, height: float, title: str, description: str, parts: Iterable[str]) -> str:
    """A whole figure, with what it shows in words for those who can't see it."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img"'
            f' aria-label="{escape(f"{title}. {description}", quote=True)}"'
            ' font-family="system-ui, sans-serif" font-size="12">',
            f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
            *parts,
            "</svg>",
        ]
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    """A straight line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
        f' stroke-width="{width:g}"/>'
    )


def text(
    x: float,
    y: float,
    content: str | Sequence[Cell],
    *,
    anchor: str = "middle",
    colour: str = INK,
    style: str = "",
) -> str:
    """A text, or numbers each with its row's key."""
    inner = escape(content) if isinstance(content, str) else "".join(map(_span, content))
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{style and " " + style}>{inner}</text>'


def polyline(points: Sequence[tuple[float, float]], attributes: str) -> str:
    """Joined lines through the points."""
    return f'<path d="{path(points)}" {attributes}/>'


def path(points: Sequence[tuple[float, float]]) -> str:
    """The points as path data."""
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _span(cell: Cell) -> str:
    if not cell.key:
        return escape(cell.text)
    return f'<tspan data-result="{escape(cell.key, quote=True)}">{escape(cell.text)}</tspan>'
