"""Counts of persons that other statistics are made from: they stand among the rows already."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reports.statistics.rows import Row

Counted = Callable[[str, str], tuple[int, int] | None]


def counted_persons(rows: Iterable[Row]) -> Counted:
    """Gives the persons with an outcome, and all that it is counted in, of everybody by analysis and level.

    An analysis without a denominator of its own is of all treated persons. None where nobody is counted so.
    """
    counts = {
        (row.analysis, row.level, row.statistic): row.value
        for row in rows
        if row.group == "all" and row.statistic in ("n", "denominator")
    }
    treated = counts.get(("attrition", "treated", "n"))

    def counted(analysis: str, level: str) -> tuple[int, int] | None:
        persons = counts.get((analysis, level, "n"))
        whole = counts.get((analysis, level, "denominator"), treated)
        return None if persons is None or whole is None else (int(persons), int(whole))

    return counted
