"""The units that laboratories and wards use, as the UCUM library reads them: to load it takes a second.

`known_units.csv` has one row a text: the dimension, in the library's words and with the powers that aren't 1, and how
many of the dimension's first unit in the file it is. The dimension is blank for what is no unit, the factor for a scale
with an offset. `python -m tests.mappers_units.by_library > mappers/known_units.csv` makes it from its own first column.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, Inexact, localcontext
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("known_units.csv")
NUMBER = "number"  # the dimension of what has none
# Dimensions of mass, and those of amount that a molar mass makes of them: gram and mole, or both in a litre, are first.
AMOUNTS = {"mass": "substance", "length^-3 mass": "length^-3 substance"}


@dataclass(frozen=True)
class Known:
    """What the library says of a text."""

    dimension: str
    factor: Decimal | None


@cache
def known_units() -> Mapping[str, Known]:
    """Every text of the file."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {
            row["unit"]: Known(row["dimension"], Decimal(row["factor"]) if row["factor"] else None)
            for row in csv.DictReader(lines, strict=True)
        }


def known_factor(source: str, unit: str, molar_mass: Decimal | None) -> Decimal | None:
    """How many of `unit` one of `source` is; None where they don't convert, which arbitrary units here do.

    `molar_mass` in g/mol joins mass and amount. Raises KeyError where the file doesn't say.
    """
    start, goal = known_units()[source], known_units()[unit]
    if start.dimension == goal.dimension:
        return _quotient(start, goal)
    if molar_mass is None or goal.dimension not in _of_another_amount(start.dimension):
        return None
    quotient = _quotient(start, goal)
    if AMOUNTS.get(start.dimension) == goal.dimension:
        return quotient and quotient * (1 / molar_mass)
    if AMOUNTS[goal.dimension] == start.dimension:
        return quotient and quotient * molar_mass
    raise KeyError(source, unit)


def _quotient(start: Known, goal: Known) -> Decimal | None:
    """Raises KeyError for one that never ends: where it is rounded depends on the library's steps."""
    if start.factor is None or goal.factor is None:
        return None
    with localcontext() as context:
        context.traps[Inexact] = True
        try:
            return start.factor / goal.factor
        except Inexact as error:
            raise KeyError(start, goal) from error


@cache
def _of_another_amount(dimension: str) -> tuple[str, ...]:
    """The dimensions with a mass for an amount of substance, and the other way round."""
    if not dimension:
        return ()
    powers = {} if dimension == NUMBER else dict(_power(one) for one in dimension.split())
    return tuple(
        dimension_text(
            powers | {"mass": powers.get("mass", 0) - n, "substance": powers.get("substance", 0) + n}
        )
        for n in (1, -1)
    )


def _power(text: str) -> tuple[str, float]:
    name, _, power = text.partition("^")
    return name, float(power or 1)


def dimension_text(powers: Mapping[str, float]) -> str:
    """A dimension as the file writes it: `length^-3 mass`."""
    named = sorted((name, power) for name, power in powers.items() if power)
    return " ".join(name if power == 1 else f"{name}^{power:g}" for name, power in named) or NUMBER
