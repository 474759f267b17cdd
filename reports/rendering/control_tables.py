"""Tables and figure of section 14.2.9 for control patients: who they are, balance, weights, contrasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reports.rendering.forest_figure import Bar, Forest, draw_forest
from reports.rendering.lookup import Cell
from reports.rendering.section import LIMITS, Figure, Source
from reports.rendering.tables import Ask, Column, Line, Table, results_table
from reports.rendering.words import METHODS, analysis_words, sentence

WEIGHTED = ("unweighted", "ate", "att", "overlap")
POPULATION = "treated persons, and control patients who never had the index drug"
PROPENSITY = (
    "Logistic regression of the study against the controls on the covariates of table 14.2.9f. ATE: inverse "
    "probability of the own group; ATT: study persons 1, controls the odds; overlap: the other group's probability.",
    "Weights balance what was measured, and nothing else: what the sites didn't record may still tell the groups "
    "apart. A standardised difference beyond 0.1 either way is worth a look.",
    "Who later had the index drug is no control: persons are left out by what came after their index date.",
)


def control_tables(source: Source) -> tuple[Table, ...]:
    """Nothing where the protocol has no control patients."""
    if source.protocol.control is None:
        return ()
    return tuple(
        replace(table, population=POPULATION, size=source.results.cell("control.persons", "n", level="study"))
        for table in (_persons(source), _balance(source), _weights(source), *_contrasts(source))
    )


def control_figures(source: Source) -> tuple[Figure, ...]:
    """Standardised differences before and after weighting."""
    if source.protocol.control is None:
        return ()
    bars = tuple(_bars(source))
    if not bars:
        return ()
    title = "Balance of the study and its control patients"
    said = "; ".join(f"{bar.label} {''.join(cell.text for cell in bar.numbers)}" for bar in bars)
    axis = "Standardised difference: the bar's end unweighted, the square with overlap weights"
    drawn = draw_forest(Forest(title, said, axis, 0.0, bars))
    return (Figure("14.2.9", "balance", title, (Cell(PROPENSITY[1]),), drawn),)


def _persons(source: Source) -> Table:
    columns = [Column(name, Ask(show=(name.lower(),))) for name in ("N", "Complete", "Analysed")]
    columns += [Column(name, Ask(show=(name.lower(),))) for name in ("Study", "Control")]
    lines = [Line("Persons"), *_lines(source, "control.persons")]
    lines += [Line("Persons whose covariate isn't known"), *_lines(source, "control.missing")]
    made = results_table(source.results, "14.2.9e", "Study persons and control patients", lines, columns)
    rule = source.protocol.control.missing if source.protocol.control else ""
    notes = {
        "complete_cases": "Who lacks a covariate is left out of everything below.",
        "category": "A missing number is the mean of the known ones, with a covariate of its own that says so.",
    }
    return replace(made, head="Group or covariate", notes=(notes.get(rule, ""),))


def _balance(source: Source) -> Table:
    columns = [
        Column(title, Ask(method=method, show=(statistic,)), over=METHODS.get(method, method))
        for method in WEIGHTED
        for title, statistic in (("study", "study"), ("control", "control"), ("SMD", "smd"))
    ]
    made = results_table(
        source.results,
        "14.2.9f",
        "Covariates before and after weighting",
        _lines(source, "control.balance"),
        columns,
    )
    return replace(
        made,
        head="Covariate",
        method="weighted means; SMD: difference in standard deviations before weighting",
        notes=PROPENSITY,
    )


def _weights(source: Source) -> Table:
    columns = [
        Column(name, Ask(show=(s,)))
        for name, s in (("N", "n"), ("Effective N", "effective_n"), ("Largest", "largest"))
    ]
    lines = []
    for level in ("study", "control"):
        lines.append(Line(sentence(level)))
        for method in source.results.methods("control.weights", "effective_n", level):
            ask = Ask(analysis="control.weights", level=level, method=method)
            lines.append(Line(METHODS.get(method, method), ask))
    made = results_table(
        source.results, "14.2.9g", "Weights and the persons that they are worth", lines, columns
    )
    trim = source.protocol.control.trim if source.protocol.control else 0.0
    note = f"Trimmed: propensities from {trim:g} to {1 - trim:g}, and the model fitted again."
    return replace(made, head="Weights", notes=(note,))


def _contrasts(source: Source) -> Iterator[Table]:
    rules = source.protocol.control
    if rules is None:
        return
    for number, name in enumerate(rules.outcomes):
        analysis = f"control.{name}"
        is_time = source.results.cell(analysis, "hr", level="unweighted").key != ""
        lines = []
        for level in source.results.levels(analysis):
            shown = METHODS.get(level, sentence(level))
            if is_time:
                lines.append(
                    Line(f"{shown}, robust", Ask(analysis=analysis, level=level, method="efron robust"))
                )
            lines.append(
                Line(
                    f"{shown}, bootstrap" if is_time else shown,
                    Ask(analysis=analysis, level=level, method="bootstrap"),
                )
            )
        columns = [
            *(
                Column(t, Ask(show=(s,)))
                for t, s in (("Events", "events"), ("Study, %", "study"), ("Control, %", "control"))
            ),
            *(Column(t, Ask(show=(s,))) for t, s in (("Difference", "difference"), ("Hazard ratio", "hr"))),
            *LIMITS,
            Column("p", Ask(show=("p",))),
            Column("Replicates", Ask(show=("replicates",))),
        ]
        title = f"{analysis_words(name)}: study against control patients"
        made = results_table(source.results, f"14.2.9{chr(104 + number)}", title, lines, columns)
        method = (
            "weighted Cox regression, robust variance; percentiles of the bootstrap"
            if is_time
            else "percentiles of the bootstrap"
        )
        yield replace(
            made, head="Weights", method=f"{method} ({rules.replicates} replicates, seed {rules.seed})"
        )


def _lines(source: Source, analysis: str) -> list[Line]:
    return [
        Line(sentence(level), Ask(analysis=analysis, level=level))
        for level in source.results.levels(analysis)
    ]


def _bars(source: Source) -> Iterator[Bar]:
    for level in source.results.levels("control.balance"):
        before, after = (
            source.results.cell("control.balance", "smd", level=level, method=method)
            for method in ("unweighted", "overlap")
        )
        low, high = source.results.value(before), source.results.value(after)
        if low is not None and high is not None:
            numbers = (before, Cell(" → "), after)
            yield Bar(sentence(level), high, min(low, high), max(low, high), numbers)
