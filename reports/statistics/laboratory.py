"""Laboratory values graded by CTCAE: the worst grade of each person by test, and its shift from baseline."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.groups import IncompleteTable
from reports.statistics.rows import Place, Row
from studies.protocol import Laboratory

GRADES = range(5)
NO_BASELINE = "no baseline"


def laboratory_rows(lab_grade: pl.DataFrame, rules: Laboratory, group: str) -> Iterator[Row]:
    """`lab.worst_grade` and `lab.shift` of each graded test.

    `lab_grade` has one row a person and term, of those with a gradable value after baseline, who are the
    denominator of both. Raises IncompleteTable on a second one, or a grade that is none of 0-4.
    """
    for test in rules.tests:
        graded = _graded(lab_grade, test.term)
        yield from _worst_rows(graded["worst_grade"], test.term, Place("lab.worst_grade", group))
        yield from _shift_rows(graded, test.term, Place("lab.shift", group))


def _worst_rows(grades: pl.Series, term: str, place: Place) -> Iterator[Row]:
    for grade in GRADES:
        yield from place.at(f"{term} grade {grade}").persons(int((grades == grade).sum()), len(grades))


def _shift_rows(graded: pl.DataFrame, term: str, place: Place) -> Iterator[Row]:
    """Each baseline grade, or none that could be told, with each worst grade after it."""
    for baseline in (*GRADES, None):
        before = NO_BASELINE if baseline is None else f"grade {baseline}"
        of_baseline = pl.col("baseline_grade").eq_missing(pl.lit(baseline, pl.Int64))
        grades = graded.filter(of_baseline)["worst_grade"]
        for worst in GRADES:
            level = f"{term} {before} to grade {worst}"
            yield from place.at(level).persons(int((grades == worst).sum()), graded.height)


def _graded(lab_grade: pl.DataFrame, term: str) -> pl.DataFrame:
    graded = lab_grade.filter(pl.col("term") == term)
    if graded["person_id"].n_unique() != graded.height:
        raise IncompleteTable(f"lab_grade has a person twice for {term}")
    worst, baseline = graded["worst_grade"], graded["baseline_grade"].drop_nulls()
    if worst.null_count() or not (_is_graded(worst) and _is_graded(baseline)):
        raise IncompleteTable(f"lab_grade has a grade that is none of 0-4 for {term}")
    return graded


def _is_graded(grades: pl.Series) -> bool:
    return bool(grades.is_in(list(GRADES)).all())
