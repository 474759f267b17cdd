"""Factors between units of measure: UCUM by a library, and `units.csv` for what hospitals write instead.

What can't be converted safely has no factor: a wrong value is worse than none.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mappers.known_units import NUMBER, known_factor, known_units

if TYPE_CHECKING:
    from ucumvert import PintUcumRegistry

TABLE = Path(__file__).with_name("units.csv")

# Longer texts, and larger exponents, are no units; they would cost minutes.
LONGEST = 60
TOO_LARGE = re.compile(r"[*^]\s*[-+]?\d{3}|[A-Za-z\])][-+]?\d{3}|\d{10}")

# UCUM gives an annotation no meaning, but one with a number normalises the value (`/{1.73_m2}`).
NORMALISATION = re.compile(r"\{[^}]*\d[^}]*\}")
ANNOTATION = re.compile(r"\{[^}]*\}")
ONLY_ANNOTATION = re.compile(r"^(\{[^}]*\})+$")

# Equivalents and osmoles are moles to the library, though their amount depends on the substance.
CHEMICAL = re.compile(r"(?<![A-Za-z\[_{])(?:da|[YZEPTGMkhdcmunpfazy])?(eq|osm)(?![A-Za-z_}])")
BRACKETED = re.compile(r"\[[^\]]+\]")
PURE_NUMBERS = frozenset({"[ppth]", "[ppm]", "[ppb]", "[pptr]", "[pi]"})

# Two ways to write the micro sign and its ASCII form: U+00B5, U+03BC.
MICRO = str.maketrans({"\u00b5": "u", "\u03bc": "u"})

# Ten to a power, as hospitals write it, also with a sign of multiplication or a raised number: x10^9, 10E9, 10**9,
# 10'9, 10(9), 10exp9; UCUM has 10*9.
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
RAISED = re.compile(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
POWER_OF_TEN = re.compile(
    r"^[x\u00d7*]?\s*10\s*(?:(?:[\^\u02c6]|\*\*?|'|exp|\.?e\+?|[x\u00d7])\s*0?(\d{1,2})|[(\[](\d{1,2})[)\]])",
    re.IGNORECASE,
)
AROUND_SLASH = re.compile(r"\s*/\s*")

# UCUM reads these as it should, and another than was meant. A superscript that was lost: `103/uL` is 103 in a
# microlitre, `10.9/L` ten times nine, `10-3/uL` a thousandth. Capitals: `U/ML` is a unit in a megalitre, `Mg/L`
# megagrams. They are read by the table whatever their capitals, or not at all.
LOST_POWER = re.compile(r"^[x\u00d7]?10[1-9]\d?(?!\d)|^[x\u00d7]?10[*^]?-\d|\d\.\d")
CAPITAL_PREFIX = re.compile(r"(?<![A-Za-z\[_{])[MGTPEZY](?:g|L|l|mol|U|eq|osm)(?![A-Za-z_}\]])")


def conversion_factor(source_unit: str, unit: str, molar_mass: Decimal | None = None) -> Decimal | None:
    """The number by which a value in `source_unit` is multiplied to be in `unit`; None where there is none.

    `unit` is UCUM, `source_unit` UCUM or as in `units.csv`, with signs of any width and powers of ten in any
    notation; blank means that the value is in `unit` already.
    The factor is exact, or has 28 digits where it never ends. `molar_mass` in g/mol joins mass and amount.
    No factor: text that is no unit, another dimension, a scale with an offset (Cel), arbitrary units
    and equivalents against anything but themselves. Source: UCUM §6 (annotations), §24 (arbitrary units).
    """
    text = source_unit.strip()
    if text in ("", unit):
        return Decimal(1)
    return _factor(text, unit.translate(MICRO), molar_mass)


def is_unit(text: str) -> bool:
    """Whether the text is a unit at all, as UCUM or `units.csv` has it, whatever it may be converted to."""
    return any(_is_ucum(reading) for reading in _readings(text.strip()))


def is_ucum(text: str) -> bool:
    """Whether the text is a unit of UCUM as it stands: one that values can be kept in."""
    unit = text.translate(MICRO)
    return bool(ONLY_ANNOTATION.match(unit)) or _is_ucum(unit)


@cache
def _factor(text: str, unit: str, molar_mass: Decimal | None) -> Decimal | None:
    factors = (_ucum_factor(reading, unit, molar_mass) for reading in _readings(text))
    return next((factor for factor in factors if factor is not None), None)


def _readings(text: str) -> Iterator[str]:
    """What a text may mean, in UCUM: by the table, as it stands, by the table whatever its capitals.

    The first that has the dimension asked for is meant: `G/L` is giga per litre for cells, grams for a mass.
    """
    if len(text) > LONGEST:
        return
    exact, any_case = _table()
    plain = _plain_text(text)
    yield from exact.get(text.translate(MICRO), ())
    yield from exact.get(plain, ())
    if not LOST_POWER.search(ANNOTATION.sub("", plain)) and not CAPITAL_PREFIX.search(plain):
        yield plain
    yield from any_case.get(plain.lower(), ())


def _plain_text(text: str) -> str:
    """A unit without what differs only in type: full-width and square signs (㎣, ㎕), raised digits, spaces.

    A power of ten is written as UCUM does: `x10^9/L` and `10⁹ / L` become `10*9/L`.
    """
    raised = RAISED.sub(lambda found: f"10*{found[1].translate(SUPERSCRIPTS)}", text)
    narrow = unicodedata.normalize("NFKC", raised).translate(MICRO).strip()
    return POWER_OF_TEN.sub(lambda found: f"10*{found[1] or found[2]}", AROUND_SLASH.sub("/", narrow))


@cache
def _table() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    exact: dict[str, list[str]] = {}
    any_case: dict[str, list[str]] = {}
    with TABLE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, strict=True):
            exact.setdefault(row["written"], []).append(row["unit"])
            for written in (row["written"], row["unit"]):
                readings = any_case.setdefault(written.lower(), [])
                readings += [] if row["unit"] in readings else [row["unit"]]
    return exact, any_case


def _ucum_factor(source: str, unit: str, molar_mass: Decimal | None) -> Decimal | None:
    if source == unit:
        return Decimal(1)
    if ONLY_ANNOTATION.match(source) or _incomparable(source) != _incomparable(unit):
        return None
    try:
        factor = known_factor(source, unit, molar_mass)
    except KeyError:
        return _library_factor(source, unit, molar_mass)
    return None if factor is None else _plain(factor)


def _library_factor(source: str, unit: str, molar_mass: Decimal | None) -> Decimal | None:
    start, goal = _parse(source), _parse(unit)
    if start is None or goal is None:
        return None
    if start.dimensionality == goal.dimensionality:
        return _ratio(start, goal)
    if molar_mass is None or not start._is_multiplicative:
        return None
    bridged = (start * bridge for bridge in _bridges(molar_mass))
    return next((_ratio(one, goal) for one in bridged if one.dimensionality == goal.dimensionality), None)


def _bridges(molar_mass: Decimal) -> Iterator[Any]:
    """What makes an amount of substance of a mass, and a mass of an amount."""
    registry = _registry()
    yield registry.Quantity(1 / molar_mass, "mol/g")
    yield registry.Quantity(molar_mass, "g/mol")


def _ratio(start: Any, goal: Any) -> Decimal | None:
    try:
        zero = _registry().Quantity(Decimal(0), start.units).to(goal.units).magnitude
        return None if zero else _plain(start.to(goal.units).magnitude / goal.magnitude)
    except (TypeError, ArithmeticError):
        # The library defines a few units, such as [g], by powers that it can't add to decimal ones.
        return None


def _plain(factor: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent above 0, as databases take decimals."""
    short = factor.normalize()
    return short.quantize(Decimal(1)) if int(short.as_tuple().exponent) > 0 else short


@cache
def _incomparable(unit: str) -> tuple[str, ...]:
    """What of a unit has no equal but itself: arbitrary units ([IU]), equivalents, normalisations."""
    parts = NORMALISATION.findall(unit) + CHEMICAL.findall(unit)
    for atom in BRACKETED.findall(unit):
        if atom not in PURE_NUMBERS and _is_number(atom):
            parts.append(atom.replace("[i", "[I"))
    return tuple(sorted(parts))


def _is_number(unit: str) -> bool:
    """Whether it is a unit without a dimension."""
    if unit in known_units():
        return known_units()[unit].dimension == NUMBER
    quantity = _parse(unit)
    return quantity is not None and not quantity.dimensionality


def _is_ucum(unit: str) -> bool:
    known = known_units().get(unit)
    return bool(known.dimension) if known else _parse(unit) is not None


@cache
def _parse(unit: str) -> Any:
    """The unit as a quantity of the library with a Decimal magnitude; None for text that is no UCUM unit."""
    from lark.exceptions import LarkError
    from pint.errors import PintError

    if not unit or len(unit) > LONGEST or TOO_LARGE.search(unit) or any(c.isspace() for c in unit):
        return None
    registry = _registry()
    try:
        quantity = registry.from_ucum(unit)
        return registry.Quantity(Decimal(str(quantity.magnitude)), quantity.units)
    except (LarkError, PintError, ArithmeticError):
        return None
    except (TypeError, AttributeError):
        # The library takes some texts apart into what it then can't multiply: `{]+gg/3'}`.
        return None


@cache
def _registry() -> PintUcumRegistry:
    # This takes a second, which data in known units never pay.
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry(non_int_type=Decimal)
