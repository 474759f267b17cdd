"""Units: expected factors are worked out by hand from the units' definitions."""

from __future__ import annotations

import csv
import subprocess
import sys
from decimal import Decimal

import pytest

from mappers.units import TABLE, conversion_factor, is_ucum
from studies.reading import bundled_studies, load_study

# For each unit of the table: another unit, and how many of that make one of it.
BY_HAND = {
    "10*9/L": ("/L", "1000000000"),
    "10*12/L": ("10*9/L", "1000"),
    "10*6/L": ("10*9/L", "0.001"),
    "10*3/uL": ("10*9/L", "1"),
    "10*6/uL": ("10*9/L", "1000"),
    "/uL": ("10*9/L", "0.001"),
    "/L": ("10*9/L", "0.000000001"),
    "%": ("1", "0.01"),
    "1": ("%", "100"),
    "mg/dL": ("g/L", "0.01"),
    "g/dL": ("g/L", "10"),
    "g/L": ("mg/dL", "100"),
    "ug": ("mg", "0.001"),
    "mg": ("g", "0.001"),
    "g": ("mg", "1000"),
    "kg": ("g", "1000"),
    "ug/mL": ("mg/L", "1"),
    "ug/dL": ("ug/L", "10"),
    "ug/L": ("mg/L", "0.001"),
    "ng/mL": ("ug/L", "1"),
    "pg/mL": ("ng/L", "1"),
    "mg/L": ("ug/mL", "1"),
    "umol/L": ("mmol/L", "0.001"),
    "mmol/L": ("umol/L", "1000"),
    "nmol/L": ("umol/L", "0.001"),
    "meq/L": ("ueq/mL", "1"),
    "U/L": ("nkat/L", "16.66666666666666666666666667"),
    "mL/min/{1.73_m2}": ("L/h/{1.73_m2}", "0.06"),
    "mg/m2": ("g/m2", "0.001"),
    "mL": ("L", "0.001"),
    "mm[Hg]": ("Pa", "133.322387415"),
    "fL": ("um3", "1"),
    "pg": ("ng", "0.001"),
    "s": ("ms", "1000"),
    "cm": ("m", "0.01"),
}
# Scales with an offset have no factor to another scale.
ONLY_THEMSELVES = ("Cel", "[degF]")


def table_rows() -> list[tuple[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [(row["written"], row["unit"]) for row in csv.DictReader(lines)]


@pytest.mark.parametrize(("written", "unit"), table_rows())
def test_what_hospitals_write_has_the_factor_of_its_unit(written: str, unit: str) -> None:
    assert conversion_factor(written, unit) == 1
    if unit not in ONLY_THEMSELVES:
        other, factor = BY_HAND[unit]
        assert conversion_factor(written, other) == Decimal(factor)


def test_every_row_of_the_table_is_said_once_and_means_ucum() -> None:
    rows = table_rows()
    assert len(rows) == len(set(rows))
    assert [unit for _, unit in rows if not is_ucum(unit)] == []


@pytest.mark.parametrize(
    ("source", "unit", "factor"),
    [
        ("10*9/L", "10*9/L", "1"),
        ("10*3/uL", "10*9/L", "1"),
        ("/uL", "10*9/L", "0.001"),
        ("{cells}/uL", "10*9/L", "0.001"),
        ("1", "%", "100"),
        ("/100{WBC}", "%", "1"),
        ("g/dL", "g/L", "10"),
        ("mg/dL", "g/L", "0.01"),
        ("ukat/L", "U/L", "60"),
        ("\u00b5mol/L", "umol/L", "1"),
        ("\u03bcmol/L", "umol/L", "1"),
        ("k/\u00b5l", "10*9/L", "1"),
        (" K/uL ", "10*9/L", "1"),
    ],
)
def test_units_convert_exactly(source: str, unit: str, factor: str) -> None:
    found = conversion_factor(source, unit)
    assert isinstance(found, Decimal)
    assert found == Decimal(factor)


def test_products_are_exact() -> None:
    assert Decimal("0.07") * (conversion_factor("1", "%") or 0) == Decimal("7.00")
    assert Decimal("100000") * (conversion_factor("/uL", "10*9/L") or 0) == Decimal("100")


def test_factors_are_written_without_an_exponent_above_zero() -> None:
    assert str(conversion_factor("1", "%")) == "100"


def test_the_dimension_asked_for_decides_what_a_text_means() -> None:
    assert conversion_factor("G/L", "10*9/L") == 1
    assert conversion_factor("G/L", "g/L") == 1
    assert conversion_factor("K/uL", "K/uL") == 1
    assert conversion_factor("K/uL", "/uL") == 1000


def test_mass_and_amount_join_by_the_molar_mass() -> None:
    creatinine = Decimal("113.12")
    assert conversion_factor("umol/L", "mg/dL", creatinine) == Decimal("0.011312")
    by_hand = Decimal(10000) / creatinine
    assert conversion_factor("mg/dL", "umol/L", creatinine) == pytest.approx(by_hand, rel=Decimal("1e-25"))
    assert conversion_factor("mg/dL", "umol/L") is None
    assert conversion_factor("umol/L", "umol/L", creatinine) == 1


@pytest.mark.parametrize(
    ("source", "unit"),
    [
        ("meq/L", "mmol/L"),
        ("mEq/L", "mmol/L"),
        ("mosm/kg", "mmol/kg"),
        ("mL/min/{1.73_m2}", "mL/min"),
        ("mL/min", "mL/min/{1.73_m2}"),
        ("[IU]/L", "10*9/L"),
        ("/[HPF]", "10*9/L"),
        ("{cells}", "%"),
        ("Cel", "K"),
        ("[degF]", "Cel"),
        ("g/L", "%"),
        ("K/uL", "K"),
        ("10*3/uL", "no unit"),
        ("see comment", "%"),
        ("[e](^", "%"),
        ("([g]", "%"),
        ("10*999999999/L", "10*9/L"),
        ("m999999999", "m"),
        ("(" * 5000, "%"),
        ("1/0", "%"),
        ("\x00", "%"),
    ],
)
def test_what_is_unsafe_or_no_unit_has_no_factor(source: str, unit: str) -> None:
    assert conversion_factor(source, unit) is None


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_value_without_a_unit_is_in_the_unit_of_its_list(blank: str) -> None:
    assert conversion_factor(blank, "%") == 1


@pytest.mark.parametrize("study_id", bundled_studies())
def test_every_measurement_is_kept_in_a_ucum_unit(study_id: str) -> None:
    measurements = load_study(study_id).protocol.measurements
    assert [name for name, kept in measurements.items() if not is_ucum(kept.unit)] == []


def test_values_in_their_own_unit_need_no_library() -> None:
    code = (
        "import sys; from mappers.units import conversion_factor as f; f('10*9/L', '10*9/L');"
        "sys.exit('pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
