"""The tables of the report: which result rows stand where. Order and numbers follow ICH E3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reports.rendering.lookup import Cell, Results


@dataclass(frozen=True)
class Row:
    """A line of a table: its label, and a cell for each column."""

    label: str
    cells: tuple[Cell, ...]
    is_heading: bool = False


@dataclass(frozen=True)
class Table:
    """A table that can be read alone: population, columns and notes stand on it."""

    number: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    population: str = ""
    head: str = ""


COUNTED = ("n", "percent")
SUMMARY = ("n", "missing", "median", "min", "max", "mean", "sd", "q1", "q3")
NAMES = {
    "n": "n",
    "percent": "%",
    "events": "Events",
    "missing": "Missing",
    "median": "Median",
    "min": "Min",
    "max": "Max",
    "mean": "Mean",
    "sd": "SD",
    "q1": "Q1",
    "q3": "Q3",
    "ci_low": "95% CI low",
    "ci_high": "95% CI high",
    "raw_median": "Raw median",
    "at_risk": "At risk",
    "survival": "Survival",
    "incidence": "Incidence",
    "hr": "Hazard ratio",
    "p": "p",
    "chi2": "χ²",
    "denominator": "Denominator",
    "observed_percent": "Observed agreement, %",
    "kappa": "Cohen's kappa",
    "value": "Estimate, %",
    "threshold": "Threshold, %",
    "bound": "One-sided bound, %",
    "met": "Met (1) or not (0)",
    "responders_short": "Responders short",
}


def levels_table(
    results: Results,
    number: str,
    title: str,
    analyses: Sequence[str],
    statistics: Sequence[str],
    *,
    groups: Sequence[str] = ("all",),
    notes: Sequence[str] = (),
    population: str = "",
    label: Callable[[str, str], str] | None = None,
) -> Table:
    """One row a level of each analysis, one column a statistic of each group."""
    rows: list[Row] = []
    shown = [name for name in analyses if results.has(name)]
    for analysis in shown:
        if len(shown) > 1:
            rows.append(Row(words(analysis), (), is_heading=True))
        for level in results.levels(analysis):
            cells = tuple(
                results.cell(analysis, statistic, level=level, group=group)
                for group in groups
                for statistic in statistics
            )
            rows.append(Row(label(analysis, level) if label else words(level or analysis), cells))
    columns = [
        NAMES.get(statistic, statistic) if len(groups) == 1 else f"{group}: {NAMES.get(statistic, statistic)}"
        for group in groups
        for statistic in statistics
    ]
    return Table(number, title, tuple(columns), tuple(rows), tuple(notes), population)


def statistics_table(
    results: Results,
    number: str,
    title: str,
    analyses: Sequence[str],
    statistics: Sequence[str],
    *,
    groups: Sequence[str] = ("all",),
    notes: Sequence[str] = (),
    population: str = "",
) -> Table:
    """One row an analysis and group, one column a statistic; for analyses without levels."""
    rows = [
        Row(
            words(analysis) if group == "all" else f"{words(analysis)}, {group}",
            tuple(results.cell(analysis, statistic, group=group) for statistic in statistics),
        )
        for analysis in analyses
        if results.has(analysis)
        for group in groups
    ]
    columns = tuple(NAMES.get(statistic, statistic) for statistic in statistics)
    return Table(number, title, columns, tuple(rows), tuple(notes), population)


def interval_table(
    results: Results, number: str, title: str, analyses: Sequence[str], notes: Sequence[str] = ()
) -> Table:
    """Proportions with their limits, a row for each method."""
    rows = [
        Row(
            f"{words(analysis)} ({method})",
            (
                results.cell(analysis, "n"),
                results.cell(analysis, "denominator"),
                *(results.cell(analysis, name, method=method) for name in ("percent", "ci_low", "ci_high")),
            ),
        )
        for analysis in analyses
        for method in results.methods(analysis, "percent")
    ]
    columns = ("n", "Denominator", "%", "95% CI low", "95% CI high")
    return Table(number, title, columns, tuple(rows), tuple(notes), "treated")


def whole_table(results: Results) -> Table:
    """Every row of results.csv, so that nothing is known to the file that the report doesn't show."""
    rows = [
        Row(
            row["analysis"],
            (
                Cell(row["population"]),
                Cell(row["group"]),
                Cell(row["level"]),
                Cell(row["statistic"]),
                Cell(row["method"]),
                results.cell(
                    row["analysis"],
                    row["statistic"],
                    level=row["level"],
                    group=row["group"],
                    method=row["method"],
                ),
            ),
        )
        for row in results.frame.iter_rows(named=True)
    ]
    columns = ("Population", "Group", "Level", "Statistic", "Method", "Result")
    return Table("A.1", "All results", columns, tuple(rows))


def plain_table(
    number: str,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    notes: Sequence[str] = (),
) -> Table:
    """A table of what is no statistic: versions, hashes, rules."""
    lines = [Row(str(row[0]), tuple(Cell("" if v is None else str(v)) for v in row[1:])) for row in rows]
    return Table(number, title, tuple(columns[1:]), tuple(lines), tuple(notes), head=columns[0])


def words(name: str) -> str:
    """A name of the results as words; levels that are words already stay as they are."""
    if not name or " " in name or not name.replace("_", "").replace(".", "").isascii():
        return name
    last = name.rsplit(".", 1)[-1] if name.startswith(("baseline.", "exposure.", "response.")) else name
    return last.replace("_", " ").replace(".", ", ") if last.islower() else last
