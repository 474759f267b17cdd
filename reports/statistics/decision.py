"""The coverage decision: each contract threshold against the exact one-sided bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reports.statistics.counted import counted_persons
from reports.statistics.groups import IncompleteTable
from reports.statistics.proportions import exact_bound, exact_p
from reports.statistics.refund import refund_rows
from reports.statistics.rows import NO_VALUE, Place, Row
from studies.protocol import Decision, Threshold


def decision_rows(rows: Iterable[Row], rules: Decision) -> Iterator[Row]:
    """Each threshold against the proportion that it names, which stands among `rows` for everybody.

    All in percent but p, `met` and money. Raises IncompleteTable when the threshold names no proportion.
    """
    counted = counted_persons(rows)
    for threshold in rules.thresholds:
        counts = counted(threshold.analysis, threshold.level or "")
        if counts is None:
            raise IncompleteTable(
                f'threshold "{threshold.name}" is about {threshold.analysis}, which is no proportion'
            )
        yield from threshold_rows(*counts, threshold, rules.alpha)


def threshold_rows(responders: int, persons: int, threshold: Threshold, alpha: float) -> Iterator[Row]:
    """The answer for one threshold: it is met when the exact one-sided p is at most `alpha`.

    `bound` is the confidence bound at that level, the lower one of a share that must be reached, the upper one of a
    share that mustn't be passed; it lies on the right side of the threshold exactly when that is met.
    """
    place = Place("decision", level=threshold.name)
    direction = _direction(threshold)
    bound = exact_bound(responders, persons, direction=direction, alpha=alpha)
    p = exact_p(responders, persons, threshold.limit / 100, direction=direction)
    met = None if p is None else p <= alpha
    yield place.percent(responders, persons, statistic="value")
    yield place.number("threshold", threshold.limit, 1)
    yield place.number("bound", None if bound is None else 100 * bound, 1)
    yield place.p(p)
    yield place.row("met", None if met is None else float(met), _met_text(met))
    yield _short_row(place, responders, persons, threshold, alpha)
    yield from refund_rows(place, (responders, persons), threshold, met)


def responders_short(responders: int, persons: int, threshold: Threshold, alpha: float) -> int | None:
    """The fewest further responders among the same persons that meet the threshold; 0 when it is met.

    Of a share that mustn't be passed, the fewest persons less with the outcome. None when not even all (or none) of
    them would do.
    """
    rises = threshold.at_least is not None
    near, far = 0, persons - responders if rises else responders
    sign = 1 if rises else -1
    if not _is_met(responders + sign * far, persons, threshold, alpha):
        return None
    while near < far:
        middle = (near + far) // 2
        if _is_met(responders + sign * middle, persons, threshold, alpha):
            far = middle
        else:
            near = middle + 1
    return near


def _is_met(responders: int, persons: int, threshold: Threshold, alpha: float) -> bool:
    p = exact_p(responders, persons, threshold.limit / 100, direction=_direction(threshold))
    return p is not None and p <= alpha


def _direction(threshold: Threshold) -> str:
    return "greater" if threshold.at_least is not None else "less"


def _met_text(met: bool | None) -> str:
    if met is None:
        return NO_VALUE
    return "met" if met else "not met"


def _short_row(place: Place, responders: int, persons: int, threshold: Threshold, alpha: float) -> Row:
    short = responders_short(responders, persons, threshold, alpha)
    if short is not None or not persons:
        return place.number("responders_short", short, 0)
    most = f"all {persons}" if threshold.at_least is not None else "none"
    return place.row("responders_short", None, f"not estimable (even {most} would not do)")
