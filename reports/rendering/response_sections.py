"""Sections 14.2.1 to 14.2.3: response, the time to it and its duration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.rendering.curves import incidence_figure, incidence_table, survival_figures
from reports.rendering.labels import analysis_label
from reports.rendering.section import COUNTED, LIMITS, TREATED, Section, Source
from reports.rendering.tables import Ask, Column, Line, Table, results_table
from reports.rendering.words import METHODS, listed
from studies.protocol import Outcome, Response, TimeToEvent

PROPORTION = (
    Column("n", Ask(show=("n",))),
    Column("Denominator", Ask(show=("denominator",))),
    Column("%", Ask(show=("percent",))),
    *LIMITS,
)
TIMES = (
    Column("n", Ask(show=("n",))),
    Column("Events", Ask(show=("events",))),
    Column("Median", Ask(show=("median",))),
    *LIMITS,
    Column("median", Ask(show=("raw_median",)), over="Raw lengths"),
    Column("min", Ask(show=("min",)), over="Raw lengths"),
    Column("max", Ask(show=("max",)), over="Raw lengths"),
)


def response_sections(source: Source) -> list[Section]:
    """Nothing where the protocol has no response part."""
    if source.protocol.response is None:
        return []
    return [_response(source), _time_to_response(source), _durations(source)]


def proportion_lines(source: Source, analysis: str, label: str = "") -> list[Line]:
    """A heading, and a line for each method by which the proportion's limits were computed."""
    methods = source.results.methods(analysis, "percent")
    first = source.protocol.analyses.proportion_interval
    methods.sort(key=lambda method: (method != first, method))
    heading = Line(label or source.analysis(analysis))
    return [heading, *(Line(METHODS.get(m, m), Ask(analysis=analysis, method=m)) for m in methods)]


def times_table(source: Source, number: str, title: str, analyses: Sequence[str], population: str) -> Table:
    """Times to event in weeks, a line for each analysis."""
    lines = [Line(source.analysis(name), Ask(analysis=name)) for name in analyses]
    made = results_table(source.results, number, title, lines, TIMES)
    return replace(
        made,
        head="Endpoint",
        population=population,
        method=f"Kaplan-Meier median; limits {source.protocol.analyses.survival_interval}",
        notes=("Raw lengths are all observed times, whether they ended by an event or were censored.",),
    )


def _response(source: Source) -> Section:
    rules = source.protocol.response
    if rules is None:
        raise ValueError("the protocol has no response part")
    best = results_table(source.results, "14.2.1a", "Best response", source.lines("response.best"), [COUNTED])
    rates = results_table(
        source.results,
        "14.2.1b",
        f"{_titles(source, rules)}, with limits by each method",
        [
            line
            for name, outcome in rules.outcomes.items()
            for line in proportion_lines(source, f"response.{name}", _outcome(source, name, outcome))
        ],
        PROPORTION,
    )
    not_evaluable = results_table(
        source.results,
        "14.2.1c",
        "Why a best response can't be evaluated",
        source.lines("response.not_evaluable"),
        [Column("n", Ask(show=("n",)))],
    )
    counted = f"{TREATED}; who can't be evaluated counts as no responder"
    return Section(
        "14.2.1",
        "Response",
        (
            replace(
                best,
                head="Best response",
                population=TREATED,
                size=source.treated,
                denominator=counted,
                method=f"criteria {rules.criteria_set}, {rules.primary} assessment",
                notes=("The responses are those of section A; NR: no response; NE: not evaluable.",),
            ),
            replace(
                rates,
                head="Limits by",
                population=TREATED,
                size=source.treated,
                denominator=counted,
                notes=(
                    f"The protocol's method is {_method(source)}. Wald limits are printed within 0 to 100.",
                ),
            ),
            replace(
                not_evaluable,
                head="Reason",
                population="treated persons whose best response is NE",
                size=source.results.cell("response.best", "n", level="NE"),
                notes=("The first of these reasons that holds, at the person's last assessment.",),
            ),
            _agreement(source),
        ),
    )


def _outcome(source: Source, name: str, outcome: Outcome) -> str:
    return f"{analysis_label(source.protocol, f'response.{name}')}: {listed(outcome.responses, 'or')}"


def _titles(source: Source, rules: Response) -> str:
    first, *others = [analysis_label(source.protocol, f"response.{name}") for name in rules.outcomes]
    return " and ".join([first, *(other[:1].lower() + other[1:] for other in others)])


def _method(source: Source) -> str:
    method = source.protocol.analyses.proportion_interval
    return METHODS.get(method, method)


def _agreement(source: Source) -> Table:
    made = results_table(
        source.results,
        "14.2.1d",
        "Agreement of the derived with the investigator's best response",
        [Line("Best response", Ask(analysis="response.agreement"))],
        [
            Column("Persons with both", Ask(show=("n",))),
            Column("Observed agreement, %", Ask(show=("observed_percent",))),
            Column("Cohen's kappa", Ask(show=("kappa",))),
        ],
    )
    return replace(
        made,
        population="treated persons with both assessments",
        size=source.results.cell("response.agreement", "n"),
        denominator="persons with both",
        notes=("NE is a category of its own.",),
    )


def _time_to_response(source: Source) -> Section:
    names = [n for n, endpoint in source.protocol.endpoints.items() if is_of_response(source, endpoint)]
    incidences = [n for n, rules in source.protocol.incidences.items() if is_of_response(source, rules)]
    tables = [
        replace(
            times_table(
                source,
                f"14.2.2{chr(97 + i)}",
                f"{source.analysis(name)}, in weeks",
                [name],
                _persons(source, name),
            ),
            size=source.results.cell(name, "n"),
            notes=(),
        )
        for i, name in enumerate(names)
    ]
    return Section(
        "14.2.2",
        "Time to response, and its cumulative incidence",
        (
            *tables,
            *(
                incidence_table(source, f"14.2.2{chr(97 + len(names) + i)}", name)
                for i, name in enumerate(incidences)
            ),
        ),
        tuple(f for name in incidences for f in incidence_figure(source, "14.2.2", name)),
    )


def _durations(source: Source) -> Section:
    names = [n for n, endpoint in source.protocol.endpoints.items() if endpoint.start != "index"]
    title = " and ".join(source.analysis(name) for name in names) or "Duration of response"
    tables = []
    for i, name in enumerate(names):
        of_name = [name, *(f"{name}.{variant}" for variant in source.protocol.endpoints[name].variants)]
        number = "14.2.3" if len(names) == 1 else f"14.2.3{chr(97 + i)}"
        made = times_table(source, number, _in_weeks(source, name), of_name, _persons(source, name))
        tables.append(replace(made, size=source.results.cell(name, "n")))
    return Section("14.2.3", title, tuple(tables), survival_figures(source, "14.2.3", names))


def is_of_response(source: Source, rules: TimeToEvent) -> bool:
    """Whether it leads from the index date to nothing but a response, so that it stands with these."""
    events = source.protocol.events
    told = [events[name].from_ == "response" for name in rules.events if name in events]
    return rules.start == "index" and len(told) == len(rules.events) and all(told)


def response_analyses(source: Source) -> list[str]:
    """The analyses of the outcomes of the response, the main one first; none without a response."""
    response = source.protocol.response
    return [f"response.{name}" for name in response.outcomes] if response else []


def _in_weeks(source: Source, name: str) -> str:
    return f"{source.analysis(name)}, in weeks"


def _persons(source: Source, name: str) -> str:
    return source.persons(source.protocol.endpoints[name].population)
