"""Result rows: where a number stands, its value at full precision, and its text as the report prints it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

import polars as pl

SCHEMA = {
    "analysis": pl.String,
    "population": pl.String,
    "group": pl.String,
    "level": pl.String,
    "statistic": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "method": pl.String,
}
KEY = ("analysis", "population", "group", "level", "statistic", "method")
NO_VALUE = "-"
NOT_REACHED = "not reached"
WARNING = "warning_"  # begins the statistic of a row that carries a caution, see cautions.py


class InvalidResult(ValueError):  # noqa: N818 - named for what is wrong, as every error of the project
    """A value that is no finite number, or two rows for one place in the results."""


@dataclass(frozen=True)
class Row:
    """One statistic; `value` is None where it can't be estimated."""

    analysis: str
    population: str
    group: str
    level: str
    statistic: str
    value: float | None
    text: str
    method: str


@dataclass(frozen=True)
class Place:
    """What a row is about, all but its statistic: analysis, group, level and population."""

    analysis: str
    group: str = "all"
    level: str = ""
    population: str = "treated"

    def at(self, level: str) -> Place:
        """The same analysis at another level."""
        return replace(self, level=level)

    def row(self, statistic: str, value: float | None, text: str, method: str = "") -> Row:
        """A row here. Raises InvalidResult on a value that is no finite number."""
        if value is not None and not isfinite(value):
            raise InvalidResult(f"{self.analysis} {statistic} is no finite number")
        return Row(self.analysis, self.population, self.group, self.level, statistic, value, text, method)

    def count(self, statistic: str, value: int) -> Row:
        """A number of persons or events."""
        return self.row(statistic, float(value), str(value))

    def percent(self, part: int, whole: int, *, statistic: str = "percent", method: str = "") -> Row:
        """`part` in percent of `whole`; empty when the whole is nobody."""
        value = 100 * part / whole if whole else None
        return self.number(statistic, value, 1, method=method)

    def number(
        self,
        statistic: str,
        value: float | None,
        decimals: int,
        *,
        method: str = "",
        empty: str = NO_VALUE,
    ) -> Row:
        """A number shown with `decimals`, or the text `empty`."""
        return self.row(statistic, value, _shown(value, lambda v: rounded(v, decimals), empty), method)

    def extreme(self, statistic: str, value: float | None) -> Row:
        """A smallest or largest value: whole numbers without decimals, others with one."""
        return self.row(statistic, value, _shown(value, _shortest, NO_VALUE))

    def p(self, value: float | None, *, statistic: str = "p", method: str = "") -> Row:
        """A p-value: three decimals, four below 0.01, `<0.001` below that."""
        return self.row(statistic, value, _shown(value, p_text, NO_VALUE), method)

    def persons(self, part: int, whole: int) -> list[Row]:
        """The rows `n` and `percent`."""
        return [self.count("n", part), self.percent(part, whole)]


# A double has 15 digits that mean something.
MOST_IN_FULL = 1e15


def rounded(value: float, decimals: int) -> str:
    """The number with as many decimals, halves away from zero, as clinical tables have it; never `-0.0`.

    From 1e15 on as a power of ten.
    """
    if abs(value) >= MOST_IN_FULL:
        return f"{value:.{decimals}e}"
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{abs(exact) if exact.is_zero() else exact:f}"


def p_text(value: float) -> str:
    """A p-value as printed."""
    if value < 0.001:
        return "<0.001"
    return rounded(value, 4 if value < 0.01 else 3)


def weeks(days: float | None) -> float | None:
    """Days as weeks."""
    return None if days is None else days / 7


def results_frame(rows: Iterable[Row]) -> pl.DataFrame:
    """The rows as a frame in the order of results.csv. Raises InvalidResult on two rows for one place."""
    columns: dict[str, list[object]] = {name: [] for name in SCHEMA}
    for row in rows:
        for name, values in columns.items():
            values.append(getattr(row, name))
    frame = pl.DataFrame(columns, schema=SCHEMA).sort(KEY)
    repeated = frame.filter(pl.struct(KEY).is_duplicated())
    if repeated.height:
        raise InvalidResult(f"{repeated['analysis'][0]} has two rows for the same place")
    return frame


def _shortest(value: float) -> str:
    is_whole = float(value).is_integer() and abs(value) < MOST_IN_FULL
    return str(int(value)) if is_whole else rounded(value, 1)


def _shown(value: float | None, text: Callable[[float], str], empty: str) -> str:
    return empty if value is None else text(value)
