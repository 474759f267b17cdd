"""The file of known units says what the library says."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from itertools import product

import pytest

from mappers.known_units import TABLE, known_factor, known_units
from mappers.units import _library_factor, _plain
from tests.mappers_units.by_library import as_text, rows, texts

MASSES = (None, Decimal("113.12"), Decimal("584.66"))  # creatinine, bilirubin


def units_by_dimension() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for unit, known in known_units().items():
        found.setdefault(known.dimension, []).append(unit)
    del found[""]
    return found


def test_the_file_is_what_the_library_makes_of_its_texts() -> None:
    assert TABLE.read_text(encoding="utf-8") == as_text(rows(texts()))


def assert_as_library(source: str, unit: str, molar_mass: Decimal | None) -> None:
    try:
        factor = known_factor(source, unit, molar_mass)
    except KeyError:
        return  # the library is asked
    expected = _library_factor(source, unit, molar_mass)
    assert (source, unit, factor if factor is None else str(_plain(factor))) == (
        source,
        unit,
        expected if expected is None else str(expected),
    )


@pytest.mark.parametrize("dimension", units_by_dimension())
def test_units_of_a_dimension_have_the_factors_of_the_library(dimension: str) -> None:
    units = units_by_dimension()[dimension]
    for source, unit in product(units, units):
        if source != unit:  # which no one asks
            assert_as_library(source, unit, None)


@pytest.mark.parametrize("molar_mass", MASSES)
def test_units_of_two_dimensions_have_no_factor(molar_mass: Decimal | None) -> None:
    firsts = [units[0] for units in units_by_dimension().values()]
    for source, unit in product(firsts, firsts):
        if source != unit:
            assert_as_library(source, unit, molar_mass)


@pytest.mark.parametrize("molar_mass", MASSES[1:])
@pytest.mark.parametrize(
    ("mass", "amount"), [("mass", "substance"), ("length^-3 mass", "length^-3 substance")]
)
def test_mass_and_amount_join_as_in_the_library(mass: str, amount: str, molar_mass: Decimal) -> None:
    units = units_by_dimension()
    for one, other in product(units[mass], units[amount]):
        assert_as_library(one, other, molar_mass)
        assert_as_library(other, one, molar_mass)


def test_a_factor_that_never_ends_is_left_to_the_library() -> None:
    with pytest.raises(KeyError):
        known_factor("cm", "[in_i]", None)


def test_units_of_a_laboratory_need_no_library() -> None:
    code = """
import csv, sys
from decimal import Decimal
from mappers.units import TABLE, conversion_factor, is_unit
with TABLE.open(encoding="utf-8") as lines:
    texts = {text for row in csv.DictReader(lines) for text in row.values()}
for text in sorted(texts | {"mg/dL", "10*3/uL", "K/uL", "mm[Hg]", "Cel", "{score}", "kg", "cm", "/min"}):
    is_unit(text)
    for unit in ("%", "10*9/L", "g/L", "U/L"):
        conversion_factor(text, unit)
    conversion_factor(text, "umol/L", Decimal("113.12"))
sys.exit("pint" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
