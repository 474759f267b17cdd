"""Sections 14.1: who was known and treated, with what, and for how long they were followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reports.rendering.flow_figure import Box, draw_flow
from reports.rendering.lookup import Cell
from reports.rendering.order import groups_in_order
from reports.rendering.section import COUNTED, LIMITS, TREATED, Figure, Section, Source, group_columns
from reports.rendering.tables import Ask, Column, Line, Table, results_table
from reports.rendering.words import DASH, group_words

FLAGS = "A person may have several of these: they overlap, and don't add up."
SPREAD = (
    Line("Persons with a value", Ask(show=("n",))),
    Line("Missing", Ask(show=("missing",))),
    Line(f"Median (min{DASH}max)", Ask(show=("median",), aside=("min", "max"))),
    Line("Quartiles", Ask(show=("q1", "q3"))),
    Line("Mean (SD)", Ask(show=("mean",), aside=("sd",))),
)


def population_sections(source: Source) -> list[Section]:
    """Attrition and disposition, baseline, exposure, follow-up."""
    return [
        _disposition(source),
        _demographics(source),
        _history(source),
        _exposure(source),
        _follow_up(source),
    ]


def _disposition(source: Source) -> Section:
    attrition = results_table(
        source.results, "14.1.1a", "Attrition", source.lines("attrition"), [Column("n", Ask(show=("n",)))]
    )
    disposition = results_table(
        source.results, "14.1.1b", "Disposition", source.lines("disposition"), [COUNTED]
    )
    return Section(
        "14.1.1",
        "Attrition and disposition",
        (
            replace(attrition, head="Step", population="all persons that the sources hold"),
            replace(
                disposition,
                head="Disposition",
                population=TREATED,
                size=source.treated,
                denominator=TREATED,
                notes=(FLAGS,),
            ),
            _attrition_by_site(source),
        ),
        (_flow(source),),
    )


def _attrition_by_site(source: Source) -> Table:
    columns = [
        Column(source.level(level), Ask(level=level, show=("n",))) for level in source.levels("attrition")
    ]
    sites = source.results.groups("site")
    lines = [
        Line(group_words(group), Ask(analysis="attrition", group=group))
        for group in ((*sites, "all") if len(sites) > 1 else ())
    ]
    made = results_table(source.results, "14.1.1c", "Attrition by site", lines, columns)
    return replace(made, head="Site", population="all persons that the sources hold")


def _flow(source: Source) -> Figure:
    results = source.results
    steps = [
        Box(source.level(level), (results.cell("attrition", "n", level=level),), rule)
        for level, rule in _step_rules(source).items()
    ]
    outcomes = [
        Box(
            source.level(level),
            (
                results.cell("disposition", "n", level=level),
                Cell(" ("),
                results.cell("disposition", "percent", level=level),
                Cell("%)"),
            ),
            "",
        )
        for level in source.levels("disposition")
        if level != "treated"
    ]
    caption = Cell(
        "From the persons that the sources hold to the treated; below, what became of these. " + FLAGS
    )
    return Figure("14.1.1", "attrition", "Flow of persons", (caption,), draw_flow(steps, outcomes))


def _step_rules(source: Source) -> dict[str, str]:
    population = source.protocol.population
    diagnosis = population.diagnosis
    return {
        "known": "A Patient that the sources hold",
        "diagnosed": (
            f"A diagnosis at most {diagnosis.days_after_index} days after the index date"
            if diagnosis
            else "This study asks for no diagnosis"
        ),
        "treated": "At least one counted dose of an index drug by the cut-off",
    }


def _demographics(source: Source) -> Section:
    analyses = ("baseline.age", "baseline.age_at_diagnosis", "baseline.sex", "baseline.phenotype")
    table = _baseline(source, "14.1.2", "Demographics and disease at baseline", analyses)
    return Section("14.1.2", "Demographics and disease at baseline", (table,))


def _history(source: Source) -> Section:
    analyses = ("baseline.prior_regimens", "baseline.refractory")
    table = _baseline(source, "14.1.3", "Prior treatment", analyses)
    return Section("14.1.3", "Prior treatment", (table,))


def _baseline(source: Source, number: str, title: str, analyses: tuple[str, ...]) -> Table:
    by = source.protocol.survival_by
    groups = ["all", *(groups_in_order(source.results.groups(by.event)) if by else [])]
    persons = Line("Persons", Ask(analysis="overall_survival", show=("n",)))
    asked = [analysis for analysis in analyses if source.results.has(analysis)]
    lines = [line for analysis in asked for line in _baseline_lines(source, analysis)]
    made = results_table(
        source.results,
        number,
        title,
        [persons, *lines] if lines else [],
        group_columns(source, groups, COUNTED.ask),
    )
    return replace(
        made,
        head="Characteristic",
        population=TREATED,
        size=source.treated,
        denominator="all treated persons of the column; n (%) where a line says nothing else",
        method="quartiles by Hyndman-Fan type 7"
        if any(row.label == "Quartiles" for row in made.rows)
        else "",
        notes=source.later_event_note(),
    )


def _baseline_lines(source: Source, analysis: str) -> Iterator[Line]:
    yield Line(source.analysis(analysis))
    levels = source.levels(analysis)
    if levels:
        yield from source.lines(analysis)
    else:
        for line in SPREAD:
            if line.ask is not None:
                yield Line(line.label, replace(line.ask, analysis=analysis))


def _exposure(source: Source) -> Section:
    lines = [
        line
        for analysis in ("exposure.evidence", "exposure.regimen")
        for line in (Line(source.analysis(analysis)), *source.lines(analysis))
    ]
    kinds = results_table(source.results, "14.1.5a", "Evidence of exposure, and regimen", lines, [COUNTED])
    amounts = results_table(
        source.results,
        "14.1.5b",
        "Doses, cycles and duration",
        [
            Line(source.analysis(analysis), Ask(analysis=analysis))
            for analysis in ("exposure.doses", "exposure.cycles", "exposure.days")
        ],
        [Column(name, Ask(show=(name.lower(),))) for name in ("Median", "Min", "Max")],
    )
    return Section(
        "14.1.5",
        "Exposure",
        (
            replace(
                kinds,
                head="Exposure",
                population=TREATED,
                size=source.treated,
                denominator=TREATED,
                notes=_evidence_notes(source),
            ),
            replace(
                amounts,
                head="A person's",
                population=TREATED,
                size=source.treated,
                method="of raw counts, one a person",
                notes=("Duration in days: last dose - first dose + 1. One record is one dose.",),
            ),
        ),
    )


def _evidence_notes(source: Source) -> tuple[str, ...]:
    notes = ("The best level among a person's counted records of the index drug.",)
    if "ordered" in source.protocol.population.index_drug.evidence:
        return (
            *notes,
            "Exposure known from orders alone is a lower bound: one order counts as one dose.",
        )
    return notes


def _follow_up(source: Source) -> Section:
    made = results_table(
        source.results,
        "14.1.6",
        "Follow-up, in weeks",
        [Line("Follow-up", Ask(analysis="follow_up"))],
        [Column("Median", Ask(show=("median",))), *LIMITS],
    )
    return Section(
        "14.1.6",
        "Follow-up",
        (
            replace(
                made,
                population=TREATED,
                size=source.treated,
                method=f"reverse Kaplan-Meier of overall survival; limits {source.protocol.analyses.survival_interval}",
            ),
        ),
    )
