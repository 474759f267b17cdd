"""Units: expected factors are worked out by hand from the units' definitions."""
# ruff: noqa: RUF001 - hospitals write such signs

from __future__ import annotations

import csv
import subprocess
import sys
from decimal import Decimal

import pytest

from mappers.units import TABLE, conversion_factor, is_ucum, is_unit
from studies.reading import bundled_studies, load_study
from tests.mappers_units.by_hand import MEANINGS


def table_rows() -> list[tuple[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [(row["written"], row["unit"]) for row in csv.DictReader(lines)]


def meanings() -> list[tuple[str, str, str]]:
    """(text, another unit, factor) of each text, by hand."""
    return [(text, unit, factor) for unit, factor, texts in MEANINGS for text in texts.split(" | ")]


@pytest.mark.parametrize(("written", "other", "factor"), meanings())
def test_what_hospitals_write_means_what_it_says(written: str, other: str, factor: str) -> None:
    assert conversion_factor(written, other) == Decimal(factor)


def test_every_row_of_the_table_has_its_meaning_by_hand_and_is_unit() -> None:
    rows = table_rows()
    assert len(rows) == len(set(rows))
    assert sorted(written for written, _ in rows) == sorted(text for text, _, _ in meanings())
    assert [unit for _, unit in rows if not is_unit(unit)] == []


@pytest.mark.parametrize(("written", "unit"), table_rows())
def test_a_row_names_the_unit_that_is_meant(written: str, unit: str) -> None:
    meant = [(other, Decimal(factor)) for text, other, factor in meanings() if text == written]
    assert any(conversion_factor(unit, other) == factor for other, factor in meant)


# In one notation or another: the same as in UCUM.
THOUSAND_IN_A_MICROLITRE = (
    "x10^3/uL", "X10^3/UL", "10E3/uL", "x10e3/ul", "10.e3/uL", "10x3/uL", "10X3/CMM", "10'3/UL", "10**3/mm3",
    "*10^3/uL", "×10³/µL", "×10³/μL", "10³/㎕", "10^3/㎕", "x10³/㎣", "１０^３／ｕＬ", "10(3)/mcL", "x10E+3/uL",
    "10E+03/uL", "10[3]/uL", "10ˆ3/uL", "10 ^ 3 / uL", "10*3/㎣", "천/㎣", "천/㎕", "k/㎕", "Ｋ／ｕＬ", "K / uL",
    "thou/㎣", "10^9/ℓ", "×10⁹ / L", "/nL", "10^6/mL",
)  # fmt: skip


@pytest.mark.parametrize("written", THOUSAND_IN_A_MICROLITRE)
def test_a_power_of_ten_is_read_in_any_notation_and_width(written: str) -> None:
    assert conversion_factor(written, "10*9/L") == 1


@pytest.mark.parametrize(
    ("written", "unit", "factor"),
    [
        ("만/㎣", "10*9/L", "10"),
        ("백만/㎣", "10*12/L", "1"),
        ("/㎕", "10*9/L", "0.001"),
        ("/㎣", "10*9/L", "0.001"),
        ("개/㎕", "/uL", "1"),
        ("㎎/㎗", "g/L", "0.01"),
        ("ｍｇ／ｄＬ", "g/L", "0.01"),
        ("g/㎗", "g/L", "10"),
        ("㎍", "mg", "0.001"),
        ("㎍/㎖", "mg/L", "1"),
        ("㎎/㎡", "mg/m2", "1"),
        ("IU/ℓ", "U/L", "1"),
        ("㎖/min/1.73㎡", "mL/min/{1.73_m2}", "1"),
        ("㎜Hg", "mm[Hg]", "1"),
        ("℃", "Cel", "1"),
        ("％", "%", "1"),
        ("㎏", "g", "1000"),
    ],
)
def test_signs_of_korean_keyboards_are_the_letters_that_they_show(
    written: str, unit: str, factor: str
) -> None:
    assert conversion_factor(written, unit) == Decimal(factor)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("103/uL", "10*9/L"),
        ("109/L", "10*9/L"),
        ("１０３/uL", "10*9/L"),
        ("x106/uL", "10*9/L"),
        ("10.9/L", "10*9/L"),
        ("10*3.5/L", "10*9/L"),
        ("10-3/uL", "10*9/L"),
        ("10^-3/uL", "10*9/L"),
        ("x10-6/uL", "10*12/L"),
    ],
)
def test_a_power_that_lost_its_sign_is_not_taken_for_a_number(written: str, unit: str) -> None:
    assert conversion_factor(written, unit) is None


@pytest.mark.parametrize(
    ("written", "unit", "factor"),
    [
        ("Mg/L", "mg/L", "1"),
        ("Mmol/L", "mmol/L", "1"),
        ("Pg/mL", "pg/mL", "1"),
        ("U/ML", "U/L", "1000"),
        ("MU/L", "U/L", None),
        ("EU/mL", "U/L", None),
        ("Mmol", "mmol", None),
        ("MBq", "kBq", "1000"),
        ("kU/L", "U/L", "1000"),
    ],
)
def test_capitals_are_no_megagrams_and_megalitres(written: str, unit: str, factor: str | None) -> None:
    assert conversion_factor(written, unit) == (factor and Decimal(factor))


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
    assert [name for name, kept in measurements.items() if not is_unit(kept.unit)] == []


def test_values_in_their_own_unit_need_no_library() -> None:
    code = (
        "import sys; from mappers.units import conversion_factor as f; f('10*9/L', '10*9/L');"
        "sys.exit('pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# In Spanish and Portuguese `mil` is a thousand, elsewhere a million.
@pytest.mark.parametrize("written", ["mil/mm3", "mil/mm\u00b3", "MIL/uL", "mil/cumm"])
def test_a_word_of_two_meanings_is_not_converted(written: str) -> None:
    assert conversion_factor(written, "10*9/L") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("g/L", True),
        ("K/uL", True),
        ("10\u00b3/\u3395", True),
        ("", False),
        ("Anna Kim", False),
        ("per field", False),
    ],
)
def test_what_is_no_unit_is_known_as_such(text: str, expected: bool) -> None:
    assert is_unit(text) is expected


# As it stands: what a hospital may write is more than what a study may keep values in.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%", True),
        ("10*9/L", True),
        ("mm[Hg]", True),
        ("\u00b5mol/L", True),
        ("kg/m2", True),
        ("{score}", True),
        ("1", True),
        ("10^9/L", True),
        ("mmHg", False),
        ("cells/uL", False),
        ("bluk", False),
        ("", False),
        (" g/L", False),
    ],
)
def test_values_are_kept_in_a_unit_of_ucum_as_it_stands(text: str, expected: bool) -> None:
    assert is_ucum(text) is expected


def test_the_units_that_the_table_leads_to_are_units_of_ucum() -> None:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        units = {row["unit"] for row in csv.DictReader(lines)}
    assert [unit for unit in sorted(units) if not is_unit(unit)] == []
