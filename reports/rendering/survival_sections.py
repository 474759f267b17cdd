"""Sections 14.2.4 to 14.2.7: survival, other cumulative incidences, and survival by a later event."""

from __future__ import annotations

from dataclasses import replace

from reports.rendering.competing_sections import competing_section, is_from_a_later_event
from reports.rendering.curves import (
    NO_LATER,
    incidence_figure,
    incidence_table,
    survival_figures,
    survival_table,
    two_curves_figure,
)
from reports.rendering.order import groups_in_order
from reports.rendering.response_sections import is_of_response, response_analyses, times_table
from reports.rendering.section import COUNTED, LIMITS, TREATED, Section, Source, group_columns
from reports.rendering.tables import Ask, Column, Line, Table, results_table
from reports.rendering.words import METHODS

TESTS = ("mantel_byar", "logrank_naive")


def survival_sections(source: Source) -> list[Section]:
    """Survival of all treated, incidences other than of the response, and survival by the protocol's event."""
    return [_survival(source), _incidences(source), _by_event(source), competing_section(source)]


def _survival(source: Source) -> Section:
    names = [name for name, endpoint in source.protocol.endpoints.items() if endpoint.population == "treated"]
    medians = times_table(source, "14.2.4a", "Survival, in weeks", names, TREATED)
    return Section(
        "14.2.4",
        "Survival",
        (
            replace(medians, size=source.treated),
            *(survival_table(source, f"14.2.4{chr(98 + i)}", name) for i, name in enumerate(names)),
        ),
        survival_figures(source, "14.2.4", names),
    )


def _incidences(source: Source) -> Section:
    names = [
        name
        for name, rules in source.protocol.incidences.items()
        if not is_of_response(source, rules) and not is_from_a_later_event(rules)
    ]
    return Section(
        "14.2.5",
        "Cumulative incidence, with competing events",
        tuple(incidence_table(source, f"14.2.5{chr(97 + i)}", name) for i, name in enumerate(names)),
        tuple(figure for name in names for figure in incidence_figure(source, "14.2.5", name)),
    )


def _by_event(source: Source) -> Section:
    by = source.protocol.survival_by
    if by is None:
        return Section("14.2.6", "Survival by a later event")
    analysis, event = f"survival_by_{by.event}", source.level(by.event)
    return Section(
        "14.2.6",
        f"Survival by {event}",
        (
            _ratios(source, analysis, event),
            _tests(source, analysis, event),
            _simon_makuch(source, analysis, event),
            _outcomes(source, by.event),
        ),
        tuple(
            two_curves_figure(
                source,
                "14.2.6",
                f"{analysis}_simon_makuch",
                f"Overall survival since {event} and before or without it",
                (
                    (f"{analysis}.simon_makuch.yes", f"Since {event}"),
                    (f"{analysis}.simon_makuch.no", f"Before or without {event}"),
                ),
                "Simon-Makuch estimate: a person leaves the one curve and joins the other when the event comes. "
                "Ticks mark persons censored, or leaving.",
            )
        ),
        paragraphs=(
            f"Four ways to look at it, because {event} comes after the start of follow-up: comparing ever with never "
            "gives the one group time in which its members couldn't die.",
        ),
    )


def _ratios(source: Source, analysis: str, event: str) -> Table:
    lines = [
        line
        for level in source.levels(analysis)
        if level not in TESTS
        for line in _ratio_lines(source, analysis, level)
    ]
    columns = [
        Column("n", Ask(show=("n",))),
        Column("Events", Ask(show=("events",))),
        Column("Hazard ratio", Ask(show=("hr",))),
        *LIMITS,
        Column("p", Ask(show=("p",))),
    ]
    made = results_table(
        source.results, "14.2.6a", f"Hazard ratio of death, {event} against none", lines, columns
    )
    return replace(
        made,
        head="Analysis",
        population=TREATED,
        size=source.treated,
        method="Cox regression, ties by Efron, Wald limits and p; Firth's penalty where that isn't estimable",
        notes=(
            *source.later_event_note(),
            "Landmark: those alive and in follow-up past the day, grouped by the event at or before it.",
            "Time-dependent: persons are without the event until its day, and with it from then.",
        ),
    )


def _ratio_lines(source: Source, analysis: str, level: str) -> list[Line]:
    """A line for the ratio, and one more for each further method that gave one."""
    methods = source.results.methods(analysis, "hr", level)
    return [
        Line(
            source.level(level) if i == 0 else f"{source.level(level)}: {METHODS.get(method, method)}",
            Ask(analysis=analysis, level=level, method=method),
        )
        for i, method in enumerate(methods)
    ]


def _tests(source: Source, analysis: str, event: str) -> Table:
    lines = [line for line in source.lines(analysis) if line.ask and line.ask.level in TESTS]
    columns = [Column("χ²", Ask(show=("chi2",))), Column("p", Ask(show=("p",)))]
    made = results_table(source.results, "14.2.6b", f"Tests of survival by {event}", lines, columns)
    return replace(
        made, head="Test", population=TREATED, size=source.treated, notes=source.later_event_note()
    )


def _simon_makuch(source: Source, analysis: str, event: str) -> Table:
    curves = f"{analysis}.simon_makuch"
    lines = []
    for level, said in (("yes", f"Since {event}"), ("no", f"Before or without {event}")):
        lines.append(Line(said))
        lines.append(Line("Whole follow-up", Ask(analysis=curves, level=level)))
        weeks = [found for found in source.levels(curves) if found.startswith(f"{level} week_")]
        lines += [Line(source.level(week.split(" ")[1]), Ask(analysis=curves, level=week)) for week in weeks]
    columns = [
        Column("Persons", Ask(show=("n",))),
        Column("Deaths", Ask(show=("events",))),
        Column("At risk", Ask(show=("at_risk",))),
        Column("Survival", Ask(show=("survival",))),
        *LIMITS,
    ]
    title = f"Overall survival since {event}, and before or without it (Simon-Makuch)"
    made = results_table(source.results, "14.2.6c", title, lines, columns)
    return replace(
        made,
        head="Time since the index date",
        population=TREATED,
        size=source.treated,
        method=f"Kaplan-Meier with entry at the event; limits {source.protocol.analyses.survival_interval}",
        notes=("At risk: persons in the curve just before the time.", NO_LATER),
    )


def _proportions(source: Source) -> list[Line]:
    """Each outcome of the response: persons, percentage and its limits by the protocol's method."""
    method = source.protocol.analyses.proportion_interval
    made = []
    for analysis in response_analyses(source):
        ask = Ask(analysis=analysis, method=method)
        made.append(Line(source.analysis(analysis)))
        made.append(Line("n (%)", replace(ask, show=("n",), aside=("percent",))))
        made.append(Line(f"95% CI, {METHODS.get(method, method)}", replace(ask, show=("ci_low", "ci_high"))))
    return made


def _outcomes(source: Source, event: str) -> Table:
    groups = ["all", *groups_in_order(source.results.groups(event))]
    lines = [
        Line("Best response"),
        *source.lines("response.best"),
        *_proportions(source),
        Line("Deaths"),
        *source.lines("death"),
        Line("Overall survival, weeks"),
        Line("Events", Ask(analysis="overall_survival", show=("events",))),
        Line(
            "Median (95% CI)", Ask(analysis="overall_survival", show=("median",), aside=("ci_low", "ci_high"))
        ),
    ]
    title = f"Response, deaths and survival by {source.level(event)}"
    made = results_table(source.results, "14.2.6d", title, lines, group_columns(source, groups, COUNTED.ask))
    return replace(
        made,
        head="Outcome",
        population=TREATED,
        size=source.treated,
        denominator="all treated persons of the column; n (%) where a line says nothing else",
        method=f"Kaplan-Meier median; limits {source.protocol.analyses.survival_interval}",
        notes=source.later_event_note(),
    )
