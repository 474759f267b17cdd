"""Section 14.2.10: each number of a sensitivity analysis beside the primary one, with the reason to vary it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reports.rendering.labels import name_label
from reports.rendering.lookup import NOTHING, Cell
from reports.rendering.order import groups_in_order, in_order
from reports.rendering.section import Section, Source
from reports.rendering.tables import Ask, Column, Entry, Line, Row, Table, cautions_of
from reports.rendering.words import DASH, METHODS, sentence
from studies.varied_analyses import Varied, varied_analyses

# What the main number of an analysis may be: the first that it has.
MAIN = ("percent", "median", "survival", "incidence", "hr", "value", "chi2", "n")
SHOWN = ("Number", "Of", "Estimate", "95% CI")
COLUMNS = (
    *(Column(name, over="Varied") for name in SHOWN),
    *(Column(name, over="Primary") for name in SHOWN[2:]),
)
NOTES = (
    "Number of events, persons or responders, and of how many. Estimate: percent of proportions, median weeks of times,"
    " probability at a week, hazard ratio of comparisons.",
    "Named in the protocol, each with its reason; none is corrected for multiplicity.",
)


def sensitivity_section(source: Source) -> Section:
    """Two tables: the main number of each analysis, and what stands at weeks and other levels."""
    return Section(
        "14.2.10",
        "Sensitivity",
        (
            _table(source, "14.2.10a", "Sensitivity: each number beside the primary", at_levels=False),
            _table(source, "14.2.10b", "Sensitivity at weeks and levels, beside the primary", at_levels=True),
        ),
    )


def _table(source: Source, number: str, title: str, *, at_levels: bool) -> Table:
    analyses, rows = source.protocol.analyses, list(_rows(source, at_levels=at_levels))
    lines = [Line(row.label, ask) for row, ask in rows]
    return Table(
        number,
        title,
        COLUMNS,
        tuple(row for row, _ in rows),
        head="Variation",
        population="treated persons under the varied rules; or those of the endpoint's own population",
        method=f"{METHODS.get(analyses.proportion_interval, analyses.proportion_interval)}; Kaplan-Meier, limits "
        f"{analyses.survival_interval}; as the primary",
        notes=NOTES,
        is_long=at_levels,
        cautions=tuple(cautions_of(source.results, lines, [Column("")])),
    )


def _rows(source: Source, *, at_levels: bool) -> Iterator[tuple[Row, Ask | None]]:
    """A heading with the reason for each variation, and its numbers below it, each with what it is about."""
    for name, variation in source.protocol.sensitivity.items():
        of_name = (one for one in varied_analyses(source.protocol) if one.variation == name)
        rows = [row for one in of_name for row in _lines(source, one, at_levels)]
        if rows:
            yield (
                Row(f"{sentence(name_label(source.protocol, name))}. {variation.reason}", is_heading=True),
                None,
            )
            yield from rows


def _lines(source: Source, one: Varied, at_levels: bool) -> Iterator[tuple[Row, Ask]]:
    for group in groups_in_order(_groups(source, one.analysis)):
        site = f", without {group.partition('=')[2]}" if group != "all" else ""
        for level in _levels(source, one, group, at_levels):
            at = f", {source.level(level)}" if level else ""
            label = f"{source.analysis(one.varies)}{at}{site}"
            ask = Ask(analysis=one.analysis, group=group, level=level)
            yield Row(label, tuple(_entries(source, one, group, level))), ask


def _groups(source: Source, analysis: str) -> list[str]:
    known = source.results.frame
    return known.filter(known["analysis"] == analysis)["group"].unique().to_list()


def _levels(source: Source, one: Varied, group: str, at_levels: bool) -> list[str]:
    """The levels of an analysis that has them; its main number stands at none, or else is theirs."""
    levels = in_order(one.varies, source.results.levels(one.analysis, group), source.protocol)
    has_own = bool(source.results.methods(one.analysis, "n", group=group)) or one.varies == "follow_up"
    if at_levels:
        return levels if has_own else []
    return [""] if has_own else levels


def _entries(source: Source, one: Varied, group: str, level: str) -> Iterator[Entry]:
    varied, primary = _at(source, one.analysis, group, level), _at(source, one.varies, "all", level)
    has_events = bool(varied("events").key)
    yield Entry((varied("events", "at_risk", "n"),))
    yield Entry((varied("denominator", "n") if has_events or varied("denominator").key else NOTHING,))
    for first in (varied, primary):
        limits = (first("ci_low"), Cell(DASH), first("ci_high"))
        yield Entry((first(*MAIN),))
        yield Entry(limits if limits[0].key else ())


def _at(source: Source, analysis: str, group: str, level: str) -> Callable[..., Cell]:
    """Gives the first of some statistics that stands there, by the protocol's method where there is a choice."""
    results, preferred = source.results, source.protocol.analyses.proportion_interval

    def first(*names: str) -> Cell:
        for name in names:
            methods = results.methods(analysis, name, level, group)
            if methods:
                method = preferred if preferred in methods else methods[0]
                return results.cell(analysis, name, level=level, group=group, method=method)
        return NOTHING

    return first
