"""The bands of a subgroup that is cut, with the names that they have in results and tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Band = tuple[str, float | None, float | None]


def bands(cuts: Sequence[float]) -> list[Band]:
    """Name, lowest value and the value that it ends before: below the first cut, then from each cut to the next."""
    return [(_name(low, high), low, high) for low, high in pairwise([None, *sorted(cuts), None])]


def _name(low: float | None, high: float | None) -> str:
    if low is None:
        return f"<{high:g}"
    return f">={low:g}" if high is None else f"{low:g}-<{high:g}"
