"""Response: best response, its outcomes, why some can't be evaluated, and agreement."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.agreement import cross_table, estimate_agreement
from reports.statistics.baseline import level_rows
from reports.statistics.groups import require_levels
from reports.statistics.proportions import METHODS, estimate_proportion
from reports.statistics.rows import NO_VALUE, Place, Row, rounded
from studies.protocol import NOT_EVALUABLE, Response


def response_rows(response: pl.DataFrame, rules: Response, group: str) -> Iterator[Row]:
    """Best response, and each outcome that the protocol counts, of the persons in `response`."""
    yield from level_rows(response["best_response"], response_levels(rules), Place("response.best", group))
    for outcome in rules.outcomes:
        yield from _flag_rows(_has(response, outcome), Place(f"response.{outcome}", group))


def response_levels(rules: Response) -> tuple[str, ...]:
    """The responses that the criteria can give, in their order."""
    return tuple(rules.levels)


def proportion_rows(events: int, n: int, place: Place) -> Iterator[Row]:
    """`n` and `denominator`, then percent and limits by each method, in percent.

    A Wald limit outside 0-100 stands in the value as it was computed, and is shown at the border.
    """
    yield place.count("n", events)
    yield place.count("denominator", n)
    for method in METHODS:
        estimate = estimate_proportion(events, n, method=method)
        yield place.percent(events, n, method=method)
        yield _limit_row("ci_low", estimate.ci_low, place, method)
        yield _limit_row("ci_high", estimate.ci_high, place, method)


def not_evaluable_rows(response: pl.DataFrame, rules: Response, group: str) -> Iterator[Row]:
    """Reasons of the persons whose best response is NE; one beyond those of the rules has its row too."""
    reasons = response.filter(pl.col("best_response") == NOT_EVALUABLE)["not_evaluable_reason"].drop_nulls()
    declared = not_evaluable_reasons(rules)
    place = Place("response.not_evaluable", group)
    for reason in [*declared, *sorted(set(reasons) - set(declared))]:
        yield place.at(reason).count("n", int((reasons == reason).sum()))


def not_evaluable_reasons(rules: Response) -> tuple[str, ...]:
    """What can be missing: the assessment, then what the criteria compare and a missing value isn't none."""
    conditions = [c for criterion in rules.criteria for c in (*criterion.all, *criterion.any)]
    compared = {condition.variable for condition in conditions}
    measured = [rules.assessment.variable, *rules.pair]
    needed = [v for v in rules.pair if v in compared and v not in rules.meanings]
    found = [v for v, f in rules.findings.items() if f.from_ == "observation" and v not in rules.meanings]
    of_baseline = {c.variable for c in conditions if c.at_most_of_baseline or c.at_least_of_baseline}
    return (
        "no_assessment",
        *(f"{variable}_missing" for variable in needed),
        *(f"baseline_{variable}_missing" for variable in measured if variable in of_baseline),
        *(f"{variable}_missing" for variable in found if variable in compared),
    )


def agreement_rows(response: pl.DataFrame, rules: Response, group: str) -> Iterator[Row]:
    """Derived against the investigator's best response, of persons who have both; NE is a category."""
    both = response.drop_nulls("investigator_response")
    levels = response_levels(rules)
    place = Place("response.agreement", group)
    require_levels(both["investigator_response"], levels, place.analysis)
    derived, given = both["best_response"].to_list(), both["investigator_response"].to_list()
    agreement = estimate_agreement(cross_table(derived, given, levels))
    agreed = sum(one == other for one, other in zip(derived, given, strict=True))
    yield place.count("n", agreement.n)
    yield place.percent(agreed, agreement.n, statistic="observed_percent")
    yield place.number("kappa", agreement.kappa, 2)


def _has(response: pl.DataFrame, outcome: str) -> pl.Series:
    return response["outcomes"].list.contains(outcome)


def _flag_rows(flags: pl.Series, place: Place) -> Iterator[Row]:
    yield from proportion_rows(int(flags.cast(pl.Boolean).sum()), len(flags), place)


def _limit_row(statistic: str, limit: float | None, place: Place, method: str) -> Row:
    if limit is None:
        return place.row(statistic, None, NO_VALUE, method)
    value = 100 * limit
    return place.row(statistic, value, rounded(min(max(value, 0.0), 100.0), 1), method)
