"""Published controls beside the study: counts, difference, ratio and exact test. Nothing is adjusted for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import inf

from reports.statistics.counted import counted_persons
from reports.statistics.groups import IncompleteTable
from reports.statistics.rows import NO_VALUE, Place, Row, rounded
from reports.statistics.two_proportions import (
    NOBODY,
    Contrast,
    Counts,
    fisher_exact_p,
    katz_ratio,
    miettinen_nurminen_difference,
    miettinen_nurminen_ratio,
    newcombe_difference,
)
from studies.protocol import Comparator

PREFIX = "comparator."
FISHER = "fisher-exact"


def comparator_rows(rows: Iterable[Row], comparators: Mapping[str, Comparator]) -> Iterator[Row]:
    """Each published control against the study's number that it names, which stands among `rows` for everybody.

    Differences are study - control in percentage points, ratios study / control. Raises IncompleteTable when a
    comparator names nothing that counts persons.
    """
    counted = counted_persons(rows)
    for name, comparator in comparators.items():
        analysis, level = comparator.analysis, comparator.level or ""
        counts = counted(analysis, level)
        if counts is None:
            raise IncompleteTable(f'comparator "{name}" is about {analysis} {level}, which counts nobody')
        yield from _rows(PREFIX + name, Counts(*counts, comparator.events, comparator.n))


def _rows(analysis: str, counts: Counts) -> Iterator[Row]:
    place = Place(analysis)
    yield from _group_rows(place.at("study"), counts.events, counts.n)
    yield from _group_rows(place.at("control"), counts.other_events, counts.other_n)
    for method in (newcombe_difference, miettinen_nurminen_difference):
        yield from _contrast_rows(place.at("difference"), method(counts), 100, 1)
    yield place.at("difference").p(fisher_exact_p(counts), method=FISHER)
    for method in (miettinen_nurminen_ratio, katz_ratio):
        yield from _contrast_rows(place.at("ratio"), method(counts), 1, 2)


def _group_rows(place: Place, events: int, n: int) -> Iterator[Row]:
    yield place.count("n", n)
    yield place.count("events", events)
    yield place.percent(events, n)


def _contrast_rows(place: Place, contrast: Contrast, scale: float, decimals: int) -> Iterator[Row]:
    is_told = contrast.reason not in (None, NOBODY)
    reason = f"not estimable ({str(contrast.reason).replace('_', ' ')})" if is_told else NO_VALUE
    for statistic, value in (
        ("estimate", contrast.estimate),
        ("ci_low", contrast.ci_low),
        ("ci_high", contrast.ci_high),
    ):
        if value is None:
            yield place.row(statistic, None, reason, contrast.method)
        elif value == inf:
            yield place.row(statistic, None, "no upper limit", contrast.method)
        else:
            yield place.row(statistic, scale * value, rounded(scale * value, decimals), contrast.method)
