"""Laboratory values graded by CTCAE: the worst grade of each person, by test."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.groups import IncompleteTable
from reports.statistics.rows import Place, Row
from studies.protocol import Laboratory

GRADES = range(5)


def worst_grade_rows(lab_grade: pl.DataFrame, rules: Laboratory, group: str) -> Iterator[Row]:
    """Persons by worst grade, in percent of those who have a value of the test after baseline.

    `lab_grade` has one row a person and term. Raises IncompleteTable on a second one, or a grade that is
    none of 0-4.
    """
    place = Place("lab.worst_grade", group)
    for test in rules.tests:
        grades = _grades_of(lab_grade, test.term)
        for grade in GRADES:
            here = place.at(f"{test.term} grade {grade}")
            yield from here.persons(int((grades == grade).sum()), len(grades))


def _grades_of(lab_grade: pl.DataFrame, term: str) -> pl.Series:
    graded = lab_grade.filter(pl.col("term") == term)
    if graded["person_id"].n_unique() != graded.height:
        raise IncompleteTable(f"lab_grade has a person twice for {term}")
    grades = graded["worst_grade"]
    if grades.null_count() or not grades.is_in(list(GRADES)).all():
        raise IncompleteTable(f"lab_grade has a grade that is none of 0-4 for {term}")
    return grades
