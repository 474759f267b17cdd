"""Section 1: the decision, the main numbers, and what limits the finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reports.rendering.lookup import Cell
from reports.rendering.response_sections import response_analyses
from reports.rendering.section import TREATED, Source
from reports.rendering.tables import Ask, Column, Line, Table, results_table
from reports.rendering.words import DASH, METHODS
from studies.protocol import Threshold

Sentence = tuple[Cell, ...]


@dataclass(frozen=True)
class Verdict:
    """One threshold of the contract: whether it is met, in a sentence with its numbers."""

    is_met: bool
    title: str
    met: Cell
    said: Sentence
    note: str


@dataclass(frozen=True)
class KeyFigure:
    """A main number with its unit, what it is, and a line of context."""

    title: str
    value: Cell
    unit: str
    context: Sentence


def verdicts(source: Source) -> list[Verdict]:
    """One for each threshold of the protocol that has results."""
    decision = source.protocol.decision
    return [
        _verdict(source, threshold)
        for threshold in (decision.thresholds if decision else [])
        if source.results.cell("decision", "met", level=threshold.name).key
    ]


def _verdict(source: Source, threshold: Threshold) -> Verdict:
    cell, analysis, level = source.results.cell, threshold.analysis, threshold.level or ""
    name, method = threshold.name, source.protocol.analyses.proportion_interval
    low, high = (cell(analysis, limit, level=level, method=method) for limit in ("ci_low", "ci_high"))
    whole = cell(analysis, "denominator", level=level)
    limits = (Cell("), 95% CI "), low, Cell(DASH), high, Cell(f" by {METHODS.get(method, method)}"))
    said = (
        cell("decision", "value", level=name),
        Cell("% ("),
        cell(analysis, "n", level=level),
        Cell(" of "),
        whole if whole.key else source.treated,
        *(limits if low.key else (Cell(")"),)),
        Cell(f"; threshold {_side(threshold)} "),
        cell("decision", "threshold", level=name),
        Cell("%; exact one-sided p "),
        cell("decision", "p", level=name),
    )
    met = cell("decision", "met", level=name)
    return Verdict(met.text == "met", source.analysis(analysis), met, said, threshold.note)


def _side(threshold: Threshold) -> str:
    return "at least" if threshold.at_least is not None else "at most"


def decision_table(source: Source) -> Table:
    """Each threshold with estimate, bound, p, met or not, and refund where the contract has one."""
    names = {
        "value": "Estimate, %",
        "threshold": "Threshold, %",
        "bound": "Exact bound, %",
        "p": "p",
        "met": "Result",
        "responders_short": "Responders short",
        "refund": "Refund",
        "refund_price": "Price a person",
        "refund_persons": "Persons paid for",
        "refund_spend": "Spend",
        "refund_shortfall": "Shortfall, points",
        "refund_share": "Share, %",
        "refund_cap": "At most",
    }
    columns = [Column(name, Ask(show=(statistic,))) for statistic, name in names.items()]
    decision = source.protocol.decision
    lines = [
        Line(f"{source.level(one.name)}, {_side(one)}", Ask(analysis="decision", level=one.name))
        for one in (decision.thresholds if decision else [])
    ]
    made = results_table(source.results, "1", "Contract thresholds", lines, columns)
    return replace(
        made,
        head="Threshold",
        population=TREATED,
        size=source.treated,
        denominator=TREATED,
        method="exact one-sided binomial test and bound"
        + (f"; met when p is at most {decision.alpha:g}" if decision else ""),
        notes=(
            "Responders short: the fewest further responders among the same persons that would meet it; of a share"
            " that mustn't be passed, the fewest persons less.",
            "A single arm against a fixed threshold: it says nothing about another treatment.",
        ),
    )


def key_figures(source: Source) -> list[KeyFigure]:
    """The main numbers of those parts that the study has."""
    return [figure for figure in _key_figures(source) if figure.value.key]


def _key_figures(source: Source) -> Iterator[KeyFigure]:
    cell, early = source.results.cell, f"within_{source.protocol.deaths.early_days}_days"
    yield KeyFigure(
        "Persons treated",
        source.treated,
        "",
        (Cell("of "), cell("attrition", "n", level="known"), Cell(" known to the sources")),
    )
    for analysis in response_analyses(source):
        yield _proportion(source, analysis)
    for name, endpoint in source.protocol.endpoints.items():
        if endpoint.start != "index" or name == "overall_survival":
            yield _median(source, name, source.analysis(name))
    yield _median(source, "follow_up", "Follow-up")
    yield KeyFigure(
        "Deaths",
        cell("death", "n", level="all"),
        "",
        (
            cell("death", "n", level=early),
            Cell(f" within {source.protocol.deaths.early_days} days of the last dose"),
            *_due(cell("death", "n", level="due_to_teae")),
        ),
    )
    yield KeyFigure(
        "Adverse event of grade 3 or more",
        cell("teae", "percent", level="grade_3_plus"),
        "%",
        (
            cell("teae", "n", level="grade_3_plus"),
            Cell(" persons; "),
            cell("teae", "n", level="serious"),
            Cell(" with a serious one"),
        ),
    )


def _due(due: Cell) -> Sentence:
    return (Cell("; "), due, Cell(" due to an adverse event")) if due.key else ()


def _proportion(source: Source, analysis: str) -> KeyFigure:
    cell, method = source.results.cell, source.protocol.analyses.proportion_interval
    return KeyFigure(
        source.analysis(analysis),
        cell(analysis, "percent", method=method),
        "%",
        (
            cell(analysis, "n"),
            Cell(" of "),
            cell(analysis, "denominator"),
            Cell("; 95% CI "),
            cell(analysis, "ci_low", method=method),
            Cell(DASH),
            cell(analysis, "ci_high", method=method),
        ),
    )


def _median(source: Source, analysis: str, title: str) -> KeyFigure:
    cell = source.results.cell
    value = cell(analysis, "median")
    return KeyFigure(
        f"{title}, median",
        value,
        "weeks" if value.text[:1].isdigit() else "",
        (Cell("95% CI "), cell(analysis, "ci_low"), Cell(" to "), cell(analysis, "ci_high")),
    )


def limits(source: Source) -> list[Sentence]:
    """What limits the finding, each a sentence with its numbers; one whose numbers are missing is left out."""
    return [said for said in _limits(source) if all(cell.text for cell in said)]


def _limits(source: Source) -> Iterator[Sentence]:
    cell, protocol = source.results.cell, source.protocol
    yield (
        Cell(
            "A single arm without randomisation: the numbers describe, and compare with nothing by themselves."
        ),
    )
    yield (
        Cell("Median follow-up "),
        cell("follow_up", "median"),
        Cell(" weeks (95% CI "),
        cell("follow_up", "ci_low"),
        Cell(" to "),
        cell("follow_up", "ci_high"),
        Cell(")."),
    )
    if protocol.response is not None:
        yield (
            Cell("Response can't be evaluated in "),
            cell("response.best", "n", level="NE"),
            Cell(" persons ("),
            cell("response.best", "percent", level="NE"),
            Cell("%), who count as no responders; among the evaluable see section 14.2.10."),
        )
    if "ordered" in protocol.population.index_drug.evidence:
        yield (
            Cell("Exposure is known from orders alone in "),
            cell("exposure.evidence", "n", level="ordered"),
            Cell(" persons ("),
            cell("exposure.evidence", "percent", level="ordered"),
            Cell("%): a lower bound, since one order counts as one dose."),
        )
    if protocol.survival_by is not None:
        yield (
            Cell(
                f"Groups by {source.level(protocol.survival_by.event)} are formed by a later event: they compare "
                "nothing, see section 14.2.6."
            ),
        )
    yield (
        Cell("Quarantined because they couldn't be read: "),
        cell("quality.resources", "n", level="quarantined"),
        Cell(" of "),
        cell("quality.resources", "n", level="landed"),
        Cell(" resources received, see section D."),
    )
