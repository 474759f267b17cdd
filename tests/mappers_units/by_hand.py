"""What each text of `units.csv` means, by hand, from UCUM's definitions of prefixes and units."""
# ruff: noqa: RUF001 - hospitals write such signs

from __future__ import annotations

# Another unit → how many of it make one of what is written → the texts, separated by ` | `.
MEANINGS = (
    # A thousand millions in a litre.
    (
        "/L",
        "1e9",
        "x10^9/L | x10*9/L | x10E9/L | 10E9/L | 10e9/L | x 10^9/L | X10E9/L | 10^9/L | 10⁹/L | x10⁹/L | "
        "×10^9/L | ×10⁹/L | 10(9)/L | 10 9/L | x10 9/L | x 10 9/L | 10*9 cells/L | 10^9 cells/L | x10^9 cells/L | "
        "10**9/L | 10exp9/L | E9/L | Gpt/L | Giga/L | bil/L | "
        "billion/L | G/L | Mrd/L | Mrd./L | GI/L | billions/L",
    ),
    # A million millions in a litre.
    (
        "/L",
        "1e12",
        "x10^12/L | x10E12/L | 10E12/L | 10^12/L | 10¹²/L | x10¹²/L | ×10¹²/L | Tpt/L | T/L | TI/L | Bio/L",
    ),
    # A thousand in a microlitre, or cubic millimetre: a litre has a million of these.
    (
        "/L",
        "1e9",
        "K/uL | K/mcL | K/mm3 | K/cumm | k/uL | Th/uL | thou/uL | thous/uL | thousand/uL | thou/mcL | "
        "thou/mm3 | Thou/cumm | x10^3/uL | x10E3/uL | 10E3/uL | 10e3/uL | 10^3/uL | 10*3/mcL | 10^3/mcL | "
        "x10^3/mcL | 10³/uL | x10³/uL | ×10³/uL | x 10^3/uL | x10(3)/uL | 10(3)/uL | 10^3/mm3 | 10³/mm³ | "
        "x10^3/mm3 | 10*3/mm³ | 1000/uL | THOUS/MCL | 천/uL | 천/mm3 | 천개/uL | 10*3/cumm | 10*3/cmm | "
        "10*3/cu mm | K/cmm | K/cu mm | Tsd/uL | Tsd./uL | Th/mm3 | Th/cumm | Tho/mm3 | THOU/CMM | "
        "thousand/mm3 | thousand/cumm | thousands/uL | thous/mm3 | K cells/uL | Kcells/uL | 1000/mm3 | "
        "Thous/cu mm | thou/cu mm | x10 3/uL | x10 3/mm3 | 千/uL | 千/mm3 | "
        "1000/cumm | x1000/uL | x1000/mm3 | x1000/cumm | 10 3/uL | 10*3 cells/uL | 10*3/microL | "
        "10*3/mm^3",
    ),
    # Ten thousand (만) in a microlitre.
    (
        "/L",
        "1e10",
        "만/uL | 만/mm3 | 만개/uL | 10*4/cumm | 万/uL | 万/mm3",
    ),
    # A hundred thousand (a lakh) in a microlitre.
    (
        "/L",
        "1e11",
        "lakh/uL | lakhs/uL | lakh/cumm | lakhs/cumm | lac/cumm | lakh/mm3 | lakhs/cu.mm",
    ),
    # A million in a microlitre.
    (
        "/L",
        "1e12",
        "M/uL | M/mcL | million/uL | x10^6/uL | x10E6/uL | 10E6/uL | 10^6/uL | 10⁶/uL | x10⁶/uL "
        "| 10^6/mm3 | 백만/uL | 백만/mm3 | 10*6/cumm | 10*6/cmm | 10*6/mcL | 10*6/mm^3 | M/mm3 | M/cumm | "
        "mill/uL | mill/mcL | mill/mm3 | mill/cumm | million/mcL | million/mm3 | "
        "million/cumm | millions/uL | millions/cumm | Mio/uL | Mio./uL | x1000000/uL",
    ),
    # A million in a litre.
    (
        "/L",
        "1e6",
        "x10^6/L | x10E6/L | 10E6/L | 10^6/L | 10⁶/L | Mpt/L",
    ),
    # One in a microlitre, or cubic millimetre.
    (
        "/L",
        "1e6",
        "/mm3 | /mm³ | /cumm | /cu mm | /cmm | /mcL | cells/uL | cells/mcL | cells/mm3 | cells/mm³ | "
        "cells/cumm | cell/uL | #/uL | per uL | {cells}/mm3 | 개/uL | 개/mm3 | /cu.mm | cells/cu.mm | "
        "cells/cu mm | cells/cmm | Zellen/uL | per mm3 | per cumm | count/uL | 1/mm3 | /mm^3 | cell/mm3 | "
        "cells per microliter | cells/microliter | cells per microlitre",
    ),
    # One in a litre.
    (
        "10*9/L",
        "1e-9",
        "cells/L | #/L",
    ),
    # A hundredth.
    (
        "1",
        "0.01",
        "percent | Percent | pct | per cent | % cells | % of cells | ％ | % WBC | %WBC | % of WBC | /100 "
        "WBC | /100WBC | per 100 WBC | per 100 cells",
    ),
    # A thousandth.
    (
        "1",
        "0.001",
        "‰ | permille | per mille",
    ),
    # A whole.
    (
        "%",
        "100",
        "ratio | fraction | proportion | {ratio} | {fraction} | L/L | Ratio",
    ),
    # A thousandth of a gram in a tenth of a litre.
    (
        "g/L",
        "0.01",
        "MG/DL | Mg/dL | mg/100mL | mg/100 mL | mg% | mg per dL | mgs/dL | mgm/dL | mgm% | mg/100cc | "
        "mg/deciliter",
    ),
    # A gram in a tenth of a litre.
    (
        "g/L",
        "10",
        "G/DL | gm/dL | GM/DL | gms/dL | gr/dL | g/100mL | g% | gm% | G/dL | gm/100mL | gms% | g/deciliter",
    ),
    # A gram in a litre.
    (
        "mg/L",
        "1000",
        "gm/L | G/L | gr/L | GM/L | gms/L | g/liter",
    ),
    # A millionth of a gram.
    (
        "g",
        "1e-6",
        "mcg | MCG | microgram | micrograms | micro-g",
    ),
    # A thousandth of a gram.
    (
        "g",
        "0.001",
        "MG | mgs | milligram | milligrams | Mg",
    ),
    # A gram.
    (
        "mg",
        "1000",
        "G | gm | GM | gms | gram | grams",
    ),
    # A thousand grams.
    (
        "g",
        "1000",
        "KG | kgs | kilogram",
    ),
    # A millionth of a gram in a thousandth of a litre.
    (
        "g/L",
        "0.001",
        "mcg/mL | MCG/ML | ug/cc | microgram/mL | mcg/cc",
    ),
    # A millionth of a gram in a tenth of a litre.
    (
        "g/L",
        "1e-5",
        "mcg/dL | MCG/DL",
    ),
    # A millionth of a gram in a litre.
    (
        "g/L",
        "1e-6",
        "mcg/L | microgram/L",
    ),
    # A thousand-millionth of a gram in a thousandth of a litre.
    (
        "ug/L",
        "1",
        "NG/ML",
    ),
    # A million-millionth of a gram in a thousandth of a litre.
    (
        "g/L",
        "1e-9",
        "PG/ML",
    ),
    # A thousandth of a gram in a litre.
    (
        "ug/L",
        "1000",
        "MG/L | mgs/L | mg/liter",
    ),
    # A millionth of a mole in a litre.
    (
        "mol/L",
        "1e-6",
        "mcmol/L | UMOL/L | micromol/L | uM | umoles/L | umol/Liter | umol/liter | micromol/liter | mcM",
    ),
    # A thousandth of a mole in a litre.
    (
        "mol/L",
        "0.001",
        "MMOL/L | mM | mmoles/L | mmol/Liter | mmol/liter | millimol/L",
    ),
    # A thousand-millionth of a mole in a litre.
    (
        "mol/L",
        "1e-9",
        "NMOL/L | nM",
    ),
    # A thousandth of an equivalent in a litre.
    (
        "eq/L",
        "0.001",
        "mEq/L | MEQ/L | mequiv/L | meq/liter | mEq/liter",
    ),
    # An enzyme unit in a litre, or a thousandth of one in a millilitre. The international unit of an enzyme is U.
    (
        "kU/L",
        "0.001",
        "IU/L | UNITS/L | units/L | Units/L | unit/L | u/L | iu/L | [IU]/L | [iU]/L | mU/mL | mIU/mL | "
        "m[IU]/mL | int_unit/L | E/L | I.U./L | IU/liter | U/liter | u/liter | U/lit | IE/L",
    ),
    # An enzyme unit in a thousandth of a litre.
    (
        "U/L",
        "1000",
        "units/mL | unit/mL",
    ),
    # A thousandth of a litre in a minute, for that surface.
    (
        "L/min/{1.73_m2}",
        "0.001",
        "mL/min/1.73m2 | mL/min/1.73 m2 | mL/min/1.73m² | mL/min/1.73m^2 | mL/min/1.73 m² | mL/min/1.73sqm",
    ),
    # A thousandth of a gram for a square metre.
    (
        "g/m2",
        "0.001",
        "mg/m² | mg/m^2 | MG/M2 | mg/sqm | mg/sq.m",
    ),
    # A thousandth of a litre, or cubic centimetre.
    (
        "L",
        "0.001",
        "ML | cc | CC | ml. | milliliter | millilitre",
    ),
    # A thousandth of a metre of mercury.
    (
        "m[Hg]",
        "0.001",
        "mmHg | mm Hg | MMHG | MM HG",
    ),
    # Itself: a scale with an offset has no factor to another.
    (
        "Cel",
        "1",
        "C | degC | °C | deg C | Celsius",
    ),
    # Itself.
    (
        "[degF]",
        "1",
        "F | degF | °F | deg F | Fahrenheit",
    ),
    # A cubic micrometre: 10^-18 cubic metres.
    (
        "L",
        "1e-15",
        "FL | cu micron | um³",
    ),
    # A million-millionth of a gram.
    (
        "g",
        "1e-12",
        "PG | picogram",
    ),
    # A thousand milliseconds.
    (
        "ms",
        "1000",
        "sec | secs | second | seconds",
    ),
    # A hundredth of a metre.
    (
        "m",
        "0.01",
        "CM | centimeter",
    ),
)
