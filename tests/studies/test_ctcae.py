"""CTCAE rows, applied as studies/README.md says, at the boundaries that the published criteria name."""

from __future__ import annotations

import csv
import itertools
from decimal import Decimal
from pathlib import Path

import pytest

from studies.reading import STUDIES, CtcaeRow, ctcae_rows

PUBLISHED = STUDIES.parent.parent / "shared/data/ctcae/ctcae_lab_v5_v6.csv"
LIMITS = {"lower_limit": Decimal(2), "upper_limit": Decimal(40)}


def holds(row: CtcaeRow, value: Decimal, basis: dict[str, Decimal]) -> bool:
    baseline = basis.get("baseline")
    is_abnormal = baseline is not None and baseline > basis["upper_limit"]
    applies = {
        "any": True,
        "normal": not is_abnormal,
        "abnormal": is_abnormal,
        "below_lower_limit": baseline is not None and baseline < basis["lower_limit"],
    }
    if not applies[row.baseline]:
        return False
    known = {"value": Decimal(1), **basis}
    if not {row.low_basis, row.high_basis} - {None} <= set(known):
        return False
    is_above = is_below = True
    if row.low is not None and row.low_basis:
        bound = row.low * known[row.low_basis]
        is_above = value >= bound if row.low_inclusive else value > bound
    if row.high is not None and row.high_basis:
        bound = row.high * known[row.high_basis]
        is_below = value <= bound if row.high_inclusive else value < bound
    return is_above and is_below


def grade(version: str, term: str, value: str, baseline: str | None = None) -> int:
    basis = LIMITS | ({"baseline": Decimal(baseline)} if baseline else {})
    rows = [row for row in ctcae_rows() if (row.version, row.term) == (version, term)]
    return max((row.grade for row in rows if holds(row, Decimal(value), basis)), default=0)


ANC, ALT, CREATININE = (
    "Neutrophil count decreased",
    "Alanine aminotransferase increased",
    "Creatinine increased",
)
BILIRUBIN = "Blood bilirubin increased"

# Limits of normal 2 and 40. Worked out by hand from the published text.
BOUNDARIES = [
    ("5.0", ANC, None, {"2": 0, "1.999": 1, "1.5": 1, "1.49": 2, "1": 2, "0.99": 3, "0.5": 3, "0.49": 4}),
    ("6.0", ANC, None, {"1.5": 0, "1.49": 1, "1": 1, "0.99": 2, "0.5": 2, "0.49": 3, "0.1": 3, "0.09": 4}),
    ("5.0", "Platelet count decreased", None, {"75": 0, "74": 2, "50": 2, "49": 3, "25": 3, "24": 4}),
    ("6.0", "Thrombocytopenia", None, {"74": 2, "50": 2, "49": 3, "10": 3, "9": 4}),
    ("5.0", "Anemia", None, {"99": 2, "80": 2, "79": 3, "1": 3}),
    ("5.0", "White blood cell decreased", None, {"2.5": 2, "2": 2, "1.9": 3, "1": 3, "0.9": 4}),
    ("5.0", ALT, "40", {"40": 0, "41": 1, "120": 1, "121": 2, "200": 2, "201": 3, "800": 3, "801": 4}),
    ("5.0", ALT, None, {"40": 0, "41": 1, "121": 2}),
    ("5.0", ALT, "100", {"41": 0, "149": 0, "150": 1, "300": 1, "301": 2, "500": 2, "501": 3, "2001": 4}),
    ("6.0", ALT, "100", {"99": 0, "100": 1, "150": 1, "151": 2, "200": 2, "201": 3, "400": 3, "401": 4}),
    (
        "5.0",
        BILIRUBIN,
        "100",
        {"100": 0, "101": 1, "150": 1, "151": 2, "300": 2, "301": 3, "1000": 3, "1001": 4},
    ),
    ("6.0", BILIRUBIN, "100", {"99": 0, "100": 1, "151": 2, "250": 2, "251": 3, "1000": 3, "1001": 4}),
    ("5.0", BILIRUBIN, "40", {"40": 0, "60": 1, "61": 2, "120": 2, "121": 3, "400": 3, "401": 4}),
    ("5.0", CREATININE, "40", {"40": 0, "41": 1, "60": 1, "61": 2, "120": 2, "121": 3, "240": 3, "241": 4}),
    ("5.0", CREATININE, "20", {"30": 0, "31": 2, "60": 2, "61": 3}),
    ("6.0", CREATININE, "20", {"31": 0, "41": 1, "61": 2}),
    ("6.0", CREATININE, "1", {"1.5": 0, "1.6": 2, "3": 2, "3.1": 3}),
]


@pytest.mark.parametrize(("version", "term", "baseline", "grades"), BOUNDARIES)
def test_values_at_the_published_boundaries_have_the_published_grade(
    version: str, term: str, baseline: str | None, grades: dict[str, int]
) -> None:
    assert {value: grade(version, term, value, baseline) for value in grades} == grades


def test_grades_of_a_basis_leave_no_gap_between_them() -> None:
    rows = [row for row in ctcae_rows() if row.direction == "high"]
    for one, two in itertools.pairwise(rows):
        if (one.term, one.version, one.baseline, one.grade + 1) == (
            two.term,
            two.version,
            two.baseline,
            two.grade,
        ) and one.low_basis == two.low_basis:
            assert (one.high, one.high_inclusive, two.low_inclusive) == (two.low, True, False)


def test_a_bound_has_all_its_columns_or_none() -> None:
    for row in ctcae_rows():
        assert (row.low is None) == (row.low_basis is None) == (row.low_inclusive is None)
        assert (row.high is None) == (row.high_basis is None) == (row.high_inclusive is None)
        assert (row.unit is not None) == ("value" in (row.low_basis, row.high_basis))


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published table isn't beside the project")
def test_every_term_and_grade_is_of_the_published_table() -> None:
    with Path(PUBLISHED).open(encoding="utf-8", newline="") as lines:
        published = {(row["version"], row["term"]): row for row in csv.DictReader(lines)}
    for row in ctcae_rows():
        text = published[row.version, row.term][f"g{row.grade}"].replace(",", "")
        numbers = [bound for bound in (row.low, row.high) if bound is not None and bound != 1]
        assert [str(number) for number in numbers if str(number) not in text] == [], row
