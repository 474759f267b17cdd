"""Section 14.2.7: incidences from a later event on, and the groups compared in any incidence."""

from __future__ import annotations

from dataclasses import replace

from reports.rendering.curves import NO_LATER, incidence_figure, incidence_table
from reports.rendering.labels import event_label
from reports.rendering.section import LIMITS, Section, Source
from reports.rendering.tables import Ask, Column, Line, Table, results_table
from reports.rendering.words import METHODS
from studies.protocol import Incidence

WEEK = " week_"


def competing_section(source: Source) -> Section:
    """Incidences of persons who had an event, and every comparison that the protocol declares."""
    names = [name for name, rules in source.protocol.incidences.items() if is_from_a_later_event(rules)]
    tables = [incidence_table(source, f"14.2.7{chr(97 + i)}", name) for i, name in enumerate(names)]
    return Section(
        "14.2.7",
        _title(source, names),
        (
            *tables,
            _gray(source, len(names)),
            _by_group(source, len(names) + 1),
            _cause_specific(source, len(names) + 2),
        ),
        tuple(figure for name in names for figure in incidence_figure(source, "14.2.7", name)),
    )


def is_from_a_later_event(rules: Incidence) -> bool:
    """Whether it starts after the index date, of the persons who came so far."""
    return rules.start != "index"


def _title(source: Source, names: list[str]) -> str:
    first, *others = [source.analysis(f"{name}_incidence") for name in names] or ["Incidences"]
    said = " and ".join([first, *(other[:1].lower() + other[1:] for other in others)])
    return f"{said}; groups compared"


def _gray(source: Source, position: int) -> Table:
    lines = [
        Line(_compared(source, name), Ask(analysis=f"gray.{name}")) for name in source.protocol.comparisons
    ]
    columns = [
        Column("n", Ask(show=("n",))),
        Column("Groups", Ask(show=("groups",))),
        Column("χ²", Ask(show=("chi2",))),
        Column("Degrees of freedom", Ask(show=("df",))),
        Column("p", Ask(show=("p",))),
    ]
    title = "Gray's test of groups in a cumulative incidence"
    made = results_table(source.results, f"14.2.7{chr(97 + position)}", title, lines, columns)
    return replace(
        made,
        head="Incidence, and groups",
        population=_populations(source),
        method="Gray's test (rho = 0), exact with ties; p of χ²",
    )


def _by_group(source: Source, position: int) -> Table:
    lines = []
    for name in source.protocol.comparisons:
        analysis = f"gray.{name}"
        levels = source.levels(analysis)
        for level in (level for level in levels if WEEK not in level):
            lines.append(Line(f"{_compared(source, name)}: {level}"))
            lines.append(Line("Whole follow-up", Ask(analysis=analysis, level=level)))
            lines += [
                Line(source.level(week.removeprefix(f"{level} ")), Ask(analysis=analysis, level=week))
                for week in levels
                if week.startswith(f"{level}{WEEK}")
            ]
    columns = [
        Column("Persons", Ask(show=("n",))),
        Column("Events", Ask(show=("events",))),
        Column("At risk", Ask(show=("at_risk",))),
        Column("Incidence", Ask(show=("incidence",))),
        *LIMITS,
    ]
    title = "Cumulative incidence in the groups compared"
    made = results_table(source.results, f"14.2.7{chr(97 + position)}", title, lines, columns)
    return replace(
        made,
        head="Group, and time",
        population=_populations(source),
        method="Aalen-Johansen",
        notes=(NO_LATER, *source.later_event_note()),
    )


def _cause_specific(source: Source, position: int) -> Table:
    lines = []
    for name in source.protocol.comparisons:
        for suffix, said in (("", "the event"), (".competing", "what competes with it")):
            analysis = f"cause_specific.{name}{suffix}"
            levels = source.levels(analysis) or ([""] if source.results.has(analysis) else [])
            if levels:
                lines.append(Line(f"{_compared(source, name)}: {said}"))
            lines += [line for level in levels for line in _ratio_lines(source, analysis, level)]
    columns = [
        Column("n", Ask(show=("n",))),
        Column("Events", Ask(show=("events",))),
        Column("Hazard ratio", Ask(show=("hr",))),
        *LIMITS,
        Column("p", Ask(show=("p",))),
    ]
    title = "Cause-specific hazard ratios"
    made = results_table(source.results, f"14.2.7{chr(97 + position)}", title, lines, columns)
    later = source.protocol.survival_by
    return replace(
        made,
        head="Cause, and groups",
        population=_populations(source),
        method="Cox regression of each cause, the other censored; ties by Efron, Wald limits and p",
        notes=(
            f"Groups by {event_label(source.protocol, later.event)} are time-dependent: persons change when it comes.",
        )
        if later and any(rules.by == later.event for rules in source.protocol.comparisons.values())
        else (),
    )


def _populations(source: Source) -> str:
    incidences = (
        source.protocol.incidences[rules.incidence] for rules in source.protocol.comparisons.values()
    )
    return ", or ".join(dict.fromkeys(source.persons(rules.population) for rules in incidences))


def _ratio_lines(source: Source, analysis: str, level: str) -> list[Line]:
    """A line for the ratio, and one more for a further method that gave one."""
    said = level or "One group alone"
    return [
        Line(
            said if i == 0 else f"{said}: {METHODS.get(method, method)}",
            Ask(analysis=analysis, level=level, method=method),
        )
        for i, method in enumerate(source.results.methods(analysis, "hr", level))
    ]


def _compared(source: Source, name: str) -> str:
    rules = source.protocol.comparisons[name]
    return f"{source.analysis(f'{rules.incidence}_incidence')} by {event_label(source.protocol, rules.by)}"
