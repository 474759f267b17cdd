"""Finds the result rows that a table shows; a renderer takes texts from here and computes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

WARNING = "warning_"  # begins the statistic of a row that says what must be known of a number
KEY = ("analysis", "population", "group", "level", "statistic", "method")


@dataclass(frozen=True)
class Cell:
    """A number as printed, and the key of the row it comes from; an empty key marks plain text."""

    text: str
    key: str = ""


NOTHING = Cell("")


class Results:
    """The rows of results.csv, found by analysis, group, level, statistic and, where there is a choice, method."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self._cautions: dict[tuple[str, str, str], dict[tuple[str, str], Cell]] = {}
        self._rows: dict[tuple[str, str, str, str], dict[str, Cell]] = {}
        self._values: dict[str, float | None] = {}
        for row in frame.iter_rows(named=True):
            self._values[key_of(row)] = row["value"]
            place = (row["analysis"], row["group"], row["level"], row["statistic"])
            self._rows.setdefault(place, {})[row["method"]] = Cell(row["text"], key_of(row))
            if row["statistic"].startswith(WARNING):
                caution = (row["statistic"], row["method"])
                self._cautions.setdefault(place[:3], {})[caution] = Cell(row["text"], key_of(row))

    def cell(
        self, analysis: str, statistic: str, *, level: str = "", group: str = "all", method: str | None = None
    ) -> Cell:
        """The cell of one row; empty where the results have no such row.

        With a method, the row of that method, or the one of a statistic that has no choice.
        """
        found = self._rows.get((analysis, group, level, statistic), {})
        if method is not None:
            return found.get(method, found.get("", NOTHING))
        return next(iter(found.values()), NOTHING)

    def value(self, cell: Cell) -> float | None:
        """The number behind a cell, for a drawing; None where it is empty, or plain text."""
        return self._values.get(cell.key)

    def has(self, analysis: str) -> bool:
        """Whether the analysis was asked for."""
        return any(place[0] == analysis for place in self._rows)

    def levels(self, analysis: str, group: str = "all") -> list[str]:
        """The levels of an analysis in a group, in the order of the results."""
        return _unique(p[2] for p in self._rows if p[0] == analysis and p[1] == group and p[2])

    def methods(self, analysis: str, statistic: str, level: str = "", group: str = "all") -> list[str]:
        """The methods by which a statistic was computed."""
        return list(self._rows.get((analysis, group, level, statistic), {}))

    def cautions(
        self, analysis: str, level: str, group: str = "all", method: str | None = None
    ) -> list[Cell]:
        """What must be known of the numbers at a place, by the method or by any: rows `warning_<name>`."""
        found = self._cautions.get((analysis, group, level), {})
        return [cell for key, cell in found.items() if method is None or key[1] in (method, "")]

    def counts(self, analysis: str) -> list[dict[str, Any]]:
        """The rows that count persons at each level, of everybody."""
        chosen = (pl.col("analysis") == analysis) & (pl.col("group") == "all") & (pl.col("statistic") == "n")
        return self.frame.filter(chosen).to_dicts()

    def groups(self, variable: str) -> list[str]:
        """The groups of a variable, such as `site`."""
        return _unique(p[1] for p in self._rows if p[1].startswith(f"{variable}="))

    def variables(self) -> list[str]:
        """The variables that group persons."""
        return _unique(p[1].partition("=")[0] for p in self._rows if "=" in p[1])

    def analyses(self, prefix: str) -> list[str]:
        """The analyses whose name begins so."""
        return _unique(place[0] for place in self._rows if place[0].startswith(prefix))


def key_of(row: dict[str, str]) -> str:
    """What identifies a row, as it stands in the page's `data-result`."""
    return "|".join(row[name] for name in KEY)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
