"""The figures of curves, and the tables of their values at the report's weeks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from reports.rendering.curve_figure import AtRisk, Beside, Curve, cut, draw_curve, is_crowded
from reports.rendering.labels import event_label
from reports.rendering.lookup import Cell
from reports.rendering.section import LIMITS, TREATED, Figure, Source
from reports.rendering.tables import Ask, Column, Table, results_table
from reports.rendering.words import listed

NO_LATER = (
    "-: no value; a curve has none later than its longest time, and limits of none or all aren't estimated."
)


def survival_table(source: Source, number: str, name: str) -> Table:
    """Survival at the report's weeks."""
    columns = [
        Column("At risk", Ask(show=("at_risk",))),
        Column("Probability", Ask(show=("survival",))),
        *LIMITS,
    ]
    title = f"{source.analysis(name)} at the report's weeks"
    made = results_table(source.results, number, title, source.lines(name), columns)
    return replace(
        made,
        head="Time",
        population=TREATED,
        size=source.results.cell(name, "n"),
        method=f"Kaplan-Meier; limits {source.protocol.analyses.survival_interval}",
        notes=("At risk: persons whose time is at least that long.", NO_LATER),
    )


def incidence_table(source: Source, number: str, name: str) -> Table:
    """Cumulative incidence at the report's weeks. `name` is the protocol's."""
    analysis, rules = f"{name}_incidence", source.protocol.incidences[name]
    columns = [
        Column("At risk", Ask(show=("at_risk",))),
        Column("Incidence", Ask(show=("incidence",))),
        *LIMITS,
    ]
    title = f"Cumulative incidence of {_counted(source, name)}"
    competing = listed([event_label(source.protocol, event) for event in rules.competing])
    made = results_table(source.results, number, title, source.lines(analysis), columns)
    return replace(
        made,
        head="Time",
        population=source.persons(rules.population),
        size=source.results.cell(analysis, "n"),
        method=f"Aalen-Johansen, from {event_label(source.protocol, rules.start)}; competing: {competing}",
        notes=(
            f"Incidence as a probability, 0 to 1. At risk: persons whose time is at least that long. {NO_LATER}",
        ),
    )


def survival_figures(source: Source, number: str, names: Sequence[str]) -> tuple[Figure, ...]:
    """Kaplan-Meier curves; a crowded one again for the report's weeks alone."""
    return tuple(figure for name in names for figure in _survival_figures(source, number, name))


def _survival_figures(source: Source, number: str, name: str) -> Iterator[Figure]:
    steps, title = _steps(source, name), source.analysis(name)
    if steps.is_empty():
        return
    curve = Curve(title, _described(source, name), "Probability", steps, 1.0, _at_risk(source, name))
    said = "Kaplan-Meier estimate with 95% band; ticks mark censored persons; under it, the numbers at risk."
    last_week = max((mark.week for mark in curve.at_risk), default=0)
    if last_week and curve.longest > last_week and is_crowded(curve):
        early = f"{title}, to week {last_week}"
        yield Figure(
            number,
            f"{name}_early",
            early,
            (Cell(said),),
            draw_curve(cut(replace(curve, title=early), last_week)),
        )
        curve = replace(curve, title=f"{title}, whole follow-up", at_risk=())
        said = "The same curve to the longest observed time; numbers at risk stand under the curve above."
    longest = (Cell(" Longest observed time, weeks: "), source.results.cell(name, "max"), Cell("."))
    yield Figure(number, name, curve.title, (Cell(said), *longest), draw_curve(curve))


def incidence_figure(source: Source, number: str, name: str) -> Iterator[Figure]:
    """The curve of a cumulative incidence. `name` is the protocol's."""
    steps = _steps(source, f"{name}_incidence")
    steps = steps if not steps.is_empty() else _steps(source, name)
    if steps.is_empty():
        return
    title = f"Cumulative incidence of {_counted(source, name)}"
    competing = listed(source.protocol.incidences[name].competing)
    caption = (
        Cell(f"Aalen-Johansen estimate with 95% band; competing: {competing}. Persons: "),
        source.results.cell(f"{name}_incidence", "n"),
        Cell("; with the event: "),
        source.results.cell(f"{name}_incidence", "events"),
        Cell("; with a competing one: "),
        source.results.cell(f"{name}_incidence", "competing"),
        Cell("."),
    )
    curve = Curve(
        title, "Its values at the report's weeks stand in the table.", "Cumulative incidence", steps, 0.0
    )
    yield Figure(number, f"{name}_incidence", title, caption, draw_curve(curve))


def two_curves_figure(
    source: Source, number: str, name: str, title: str, shown: tuple[tuple[str, str], ...], caption: str
) -> Iterator[Figure]:
    """Two survival curves in one figure; `shown` has the curve's name in the data, and in the figure."""
    (first, first_name), (second, second_name) = shown
    steps, others = _steps(source, first), _steps(source, second)
    if steps.is_empty() and others.is_empty():
        return
    said = f"{first_name} against {second_name}; values at the report's weeks stand in the table."
    curve = Curve(
        title, said, "Probability", steps, 1.0, name=first_name, beside=(Beside(second_name, others),)
    )
    yield Figure(number, name, title, (Cell(caption),), draw_curve(curve))


def _steps(source: Source, name: str) -> pl.DataFrame:
    return source.curves.filter(pl.col("curve") == name)


def _counted(source: Source, name: str) -> str:
    label = source.analysis(f"{name}_incidence")
    return label if label.isupper() else label[:1].lower() + label[1:]


def _described(source: Source, name: str) -> str:
    cell = source.results.cell
    return (
        f"Kaplan-Meier curve of {cell(name, 'n').text} persons with {cell(name, 'events').text} events; "
        f"median {cell(name, 'median').text} weeks."
    )


def _at_risk(source: Source, name: str) -> tuple[AtRisk, ...]:
    """The persons at the start, then those at risk at each of the report's weeks."""
    results = source.results
    weeks = [level for level in source.levels(name) if level.startswith("week_")]
    marks = [
        AtRisk(int(level.removeprefix("week_")), results.cell(name, "at_risk", level=level))
        for level in weeks
    ]
    return (AtRisk(0, results.cell(name, "n")), *marks)
