"""Section 14.2.9: the thresholds and the published controls, with what a single arm can and cannot claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reports.rendering.answer import decision_table
from reports.rendering.control_tables import control_figures, control_tables
from reports.rendering.forest_figure import Bar, Forest, draw_forest
from reports.rendering.lookup import Cell
from reports.rendering.section import LIMITS, TREATED, Figure, Section, Source
from reports.rendering.tables import Ask, Column, Line, Table, plain_table, results_table
from reports.rendering.words import DASH, METHODS, sentence
from studies.protocol import Comparator

PREFIX = "comparator."
SHOWN_METHOD = "newcombe"
CLAIMS = (
    "What a single arm can claim: how often the outcome came in these patients, with its uncertainty, and whether "
    "that is above a threshold that was set before.",
    "What it cannot claim: that the treatment is the reason. The patients of a published control differ in what "
    "was recorded and in what wasn't, were treated at another time and place, and were judged by other rules; nothing "
    "here adjusts for that, and an interval measures chance alone.",
)
NOT_ADJUSTED = "Study - control and study / control; no adjustment for differences between the patients."


def comparator_sections(source: Source) -> list[Section]:
    """Nothing where the protocol has neither thresholds nor controls."""
    protocol = source.protocol
    if protocol.decision is None and not protocol.comparators and protocol.control is None:
        return []
    thresholds = replace(decision_table(source), number="14.2.9a")
    published = (_counts(source), _contrasts(source), _sources(source)) if protocol.comparators else ()
    return [
        Section(
            "14.2.9",
            "Thresholds and comparators" if published or protocol.control else "Thresholds",
            (thresholds, *published, *control_tables(source)),
            (*_forest(source), *control_figures(source)),
            paragraphs=CLAIMS,
        )
    ]


def comparator_words(name: str) -> str:
    """A comparator's name in the protocol, as a reader says it."""
    return sentence(name)


def _counts(source: Source) -> Table:
    columns = [
        Column(title, Ask(level=level, show=show), over=over)
        for over, level in (("Study", "study"), ("Control", "control"))
        for title, show in (("Persons", ("n",)), ("With it", ("events",)), ("%", ("percent",)))
    ]
    lines = [
        Line(f"{comparator_words(name)}: {_outcome(source, rules)}", Ask(analysis=PREFIX + name))
        for name, rules in source.protocol.comparators.items()
    ]
    made = results_table(source.results, "14.2.9b", "The study and published controls", lines, columns)
    return replace(
        made,
        head="Control and outcome",
        population="all treated persons, and the control as published",
        size=source.treated,
        denominator="the persons of each group",
    )


def _contrasts(source: Source) -> Table:
    lines = [line for name in source.protocol.comparators for line in _lines(source, name)]
    columns = [
        Column("Estimate", Ask(show=("estimate",))),
        *LIMITS,
        Column("p", Ask(show=("p",))),
    ]
    made = results_table(source.results, "14.2.9c", "Difference from published controls", lines, columns)
    return replace(
        made,
        head="Contrast",
        population="all treated persons, and the control as published",
        size=source.treated,
        method="limits by the method of the line; p by Fisher's exact test, two-sided",
        notes=(
            f"{NOT_ADJUSTED} Differences in percentage points.",
            "Newcombe: hybrid score, method 10 of 1998; Miettinen-Nurminen: score of 1985; Katz: log scale.",
        ),
    )


def _lines(source: Source, name: str) -> Iterator[Line]:
    """A heading, then a line for each contrast and method; the exact test has its own."""
    analysis = PREFIX + name
    yield Line(f"{comparator_words(name)}: {_outcome(source, source.protocol.comparators[name])}")
    for level in ("difference", "ratio"):
        for method in source.results.methods(analysis, "estimate", level):
            label = f"{sentence(level)}, {METHODS.get(method, method)}"
            yield Line(label, Ask(analysis=analysis, level=level, method=method))
    yield Line("Fisher's exact test", Ask(analysis=analysis, level="difference", method="fisher-exact"))


def _sources(source: Source) -> Table:
    rows = [
        (comparator_words(name), rules.source, rules.note)
        for name, rules in source.protocol.comparators.items()
    ]
    made = plain_table("14.2.9d", "Where the controls come from", ("Control", "Source", "Note"), rows)
    return replace(made, population=TREATED, size=source.treated)


def _outcome(source: Source, rules: Comparator) -> str:
    said = source.analysis(rules.analysis)
    return f"{said.lower()} {rules.level}" if rules.level else said.lower()


def _forest(source: Source) -> Iterator[Figure]:
    bars = tuple(
        bar for name, rules in source.protocol.comparators.items() for bar in _bars(source, name, rules)
    )
    if not bars:
        return
    title = "Difference from published controls"
    said = "; ".join(f"{bar.label} {''.join(cell.text for cell in bar.numbers)}" for bar in bars)
    forest = Forest(title, said, "Difference in percentage points (right: more in the study)", 0.0, bars)
    caption = Cell(f"Squares are differences, bars their 95% intervals by Newcombe's method. {NOT_ADJUSTED}")
    yield Figure("14.2.9", "comparators", title, (caption,), draw_forest(forest))


def _bars(source: Source, name: str, rules: Comparator) -> Iterator[Bar]:
    statistics = ("estimate", "ci_low", "ci_high")
    cells = [
        source.results.cell(PREFIX + name, statistic, level="difference", method=SHOWN_METHOD)
        for statistic in statistics
    ]
    values = [source.results.value(cell) for cell in cells]
    estimate, low, high = values
    if estimate is None or low is None or high is None:
        return
    numbers = (cells[0], Cell(" ("), cells[1], Cell(f" {DASH} "), cells[2], Cell(")"))
    level = f" {rules.level}" if rules.level else ""
    yield Bar(f"{comparator_words(name)}{level}", estimate, low, high, numbers)
