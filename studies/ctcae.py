"""Grading of laboratory values by CTCAE, as rows that a query can apply. README.md explains the columns."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("ctcae.csv")


@dataclass(frozen=True)
class CtcaeRow:
    """One interval of one grade. A bound is a factor of its basis, or a number in `unit` where that is
    `value`; None is no bound."""

    version: str
    term: str
    direction: str
    grade: int
    baseline: str
    low: Decimal | None
    low_basis: str | None
    low_inclusive: bool | None
    high: Decimal | None
    high_basis: str | None
    high_inclusive: bool | None
    unit: str | None


@cache
def ctcae_rows() -> tuple[CtcaeRow, ...]:
    """Every row of `ctcae.csv`, in its order: version, term, grade."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return tuple(_row(cells) for cells in csv.DictReader(lines, strict=True))


def _row(cells: dict[str, str]) -> CtcaeRow:
    return CtcaeRow(
        version=cells["version"],
        term=cells["term"],
        direction=cells["direction"],
        grade=int(cells["grade"]),
        baseline=cells["baseline"],
        low=_number(cells["low"]),
        low_basis=cells["low_basis"] or None,
        low_inclusive=_boolean(cells["low_inclusive"]),
        high=_number(cells["high"]),
        high_basis=cells["high_basis"] or None,
        high_inclusive=_boolean(cells["high_inclusive"]),
        unit=cells["unit"] or None,
    )


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _boolean(text: str) -> bool | None:
    return text == "true" if text else None
