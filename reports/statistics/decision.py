"""The coverage decision: each contract threshold against the exact one-sided bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reports.statistics.groups import IncompleteTable
from reports.statistics.proportions import exact_bound, exact_p
from reports.statistics.rows import Place, Row
from studies.protocol import Decision, Threshold


def decision_rows(rows: Iterable[Row], rules: Decision) -> Iterator[Row]:
    """Each threshold against the proportion that it names, which stands among `rows` for everybody.

    All in percent but p and `met`. Raises IncompleteTable when the threshold names no proportion.
    """
    counts = {
        (row.analysis, row.statistic): row.value
        for row in rows
        if row.group == "all" and not row.level and row.statistic in ("n", "denominator")
    }
    for threshold in rules.thresholds:
        n, denominator = (counts.get((threshold.analysis, s)) for s in ("n", "denominator"))
        if n is None or denominator is None:
            raise IncompleteTable(
                f'threshold "{threshold.name}" is about {threshold.analysis}, which is no proportion'
            )
        yield from threshold_rows(int(n), int(denominator), threshold, rules.alpha)


def threshold_rows(responders: int, persons: int, threshold: Threshold, alpha: float) -> Iterator[Row]:
    """The answer for one threshold: it is met when the exact one-sided p is at most `alpha`.

    `bound` is the lower confidence bound at that level, above the threshold exactly when it is met.
    """
    place = Place("decision", level=threshold.name)
    rate = threshold.at_least / 100
    bound = exact_bound(responders, persons, alpha=alpha)
    p = exact_p(responders, persons, rate)
    yield place.percent(responders, persons, statistic="value")
    yield place.number("threshold", threshold.at_least, 1)
    yield place.number("bound", None if bound is None else 100 * bound, 1)
    yield place.p(p)
    yield _met_row(place, p, alpha)
    short = responders_short(responders, persons, rate, alpha)
    yield place.number("responders_short", short, 0)


def responders_short(responders: int, persons: int, rate: float, alpha: float) -> int | None:
    """The fewest further responders among the same persons that meet the threshold; 0 when it is met.

    None when not even all of them would.
    """
    low, high = responders, persons
    if not _is_met(high, persons, rate, alpha):
        return None
    while low < high:
        middle = (low + high) // 2
        if _is_met(middle, persons, rate, alpha):
            high = middle
        else:
            low = middle + 1
    return low - responders


def _is_met(responders: int, persons: int, rate: float, alpha: float) -> bool:
    p = exact_p(responders, persons, rate)
    return p is not None and p <= alpha


def _met_row(place: Place, p: float | None, alpha: float) -> Row:
    if p is None:
        return place.number("met", None, 0)
    return place.row("met", float(p <= alpha), "met" if p <= alpha else "not met")
