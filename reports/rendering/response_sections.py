"""Sections 14.2.1 to 14.2.3: response, the time to remission and its duration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.rendering.curves import incidence_figure, incidence_table, survival_figures
from reports.rendering.section import COUNTED, LIMITS, TREATED, Section, Source
from reports.rendering.tables import Ask, Column, Line, Table, results_table
from reports.rendering.words import METHODS, analysis_words, listed

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
    return [_response(source), _time_to_remission(source), _duration(source)]


def proportion_lines(source: Source, analysis: str, label: str = "") -> list[Line]:
    """A heading, and a line for each method by which the proportion's limits were computed."""
    methods = source.results.methods(analysis, "percent")
    first = source.protocol.analyses.proportion_interval
    methods.sort(key=lambda method: (method != first, method))
    heading = Line(label or analysis_words(analysis))
    return [heading, *(Line(METHODS.get(m, m), Ask(analysis=analysis, method=m)) for m in methods)]


def times_table(source: Source, number: str, title: str, analyses: Sequence[str], population: str) -> Table:
    """Times to event in weeks, a line for each analysis."""
    lines = [Line(analysis_words(name), Ask(analysis=name)) for name in analyses]
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
    remission, overall = listed(rules.remission, "or"), listed(rules.overall, "or")
    best = results_table(source.results, "14.2.1a", "Best response", source.lines("response.best"), [COUNTED])
    rates = results_table(
        source.results,
        "14.2.1b",
        "Remission and overall response, with limits by each method",
        [
            *proportion_lines(source, "response.remission", f"Remission: {remission}"),
            *proportion_lines(source, "response.overall", f"Overall response: {overall}"),
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
                notes=("CR, CRp and PR as section A defines them; NR: no response; NE: not evaluable.",),
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


def _time_to_remission(source: Source) -> Section:
    names = [n for n in source.protocol.endpoints if n == "time_to_remission"]
    table = times_table(source, "14.2.2a", "Time to remission, in weeks", names, "persons in remission")
    incidences = [n for n, rules in source.protocol.incidences.items() if rules.events == ["remission"]]
    return Section(
        "14.2.2",
        "Time to remission, and its cumulative incidence",
        (
            replace(table, size=source.results.cell("time_to_remission", "n"), notes=()),
            *(incidence_table(source, "14.2.2b", name) for name in incidences),
        ),
        tuple(f for name in incidences for f in incidence_figure(source, "14.2.2", name)),
    )


def _duration(source: Source) -> Section:
    names = sorted(source.results.analyses("duration_of_remission"))
    table = times_table(source, "14.2.3", "Duration of remission, in weeks", names, "persons in remission")
    return Section(
        "14.2.3",
        "Duration of remission",
        (replace(table, size=source.results.cell("duration_of_remission", "n")),),
        survival_figures(source, "14.2.3", ["duration_of_remission"]),
    )
