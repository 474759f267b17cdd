"""The rows of the protocol tables about responses: the criteria set that the protocol chose, put flat."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from studies.protocol import Condition, Response

Cell = str | int | float | bool | list[str] | None

# Kinds of comparison, in the words of the protocol.
COMPARISONS = ("above", "at_least", "below", "at_most", "at_most_of_baseline", "at_least_of_baseline")
OF_BASELINE = ("at_most_of_baseline", "at_least_of_baseline")

CONDITION_COLUMNS = {
    "criterion": "INTEGER",
    "response": "VARCHAR",
    "part": "VARCHAR",
    "condition": "INTEGER",
    "number": "INTEGER",
    "variable": "VARCHAR",
    "comparison": "VARCHAR",
    "bound": "DOUBLE",
    "expected": "BOOLEAN",
}


def level_rows(response: Response) -> list[tuple[Cell, ...]]:
    """Responses from the best to the worst, with the outcomes that each counts as."""
    outcomes = response.outcomes
    return [
        (
            level,
            rank,
            [name for name, outcome in outcomes.items() if level in outcome.responses],
            level in outcomes[response.main_outcome].responses,
        )
        for rank, level in enumerate(response.levels)
    ]


def recorded_rows(response: Response) -> list[tuple[str, str]]:
    """What an investigator may record, and the response that it is."""
    criteria = response.chosen_set
    given = criteria.recorded_as if criteria else {}
    return list({**{level: level for level in response.levels}, **given}.items())


def finding_rows(response: Response) -> list[tuple[Cell, ...]]:
    """The variables of yes or no, and where they are found."""
    return [
        (name, finding.from_, finding.codelist, finding.days_before, finding.near)
        for name, finding in response.findings.items()
    ]


def meaning_rows(response: Response) -> list[tuple[Cell, ...]]:
    """What a missing value of a variable is taken for."""
    return [
        (variable, None, meaning) if isinstance(meaning, bool) else (variable, float(meaning), None)
        for variable, meaning in response.meanings.items()
    ]


def condition_rows(response: Response) -> list[tuple[Cell, ...]]:
    """Every comparison of the criteria; those of one condition hold together, and the same have the same number."""
    numbers: dict[tuple[Cell, ...], int] = {}
    return [
        (
            number,
            criterion.response,
            part,
            position,
            numbers.setdefault(comparison, len(numbers)),
            *comparison,
        )
        for number, criterion in enumerate(response.criteria)
        for part, conditions in (("all", criterion.all), ("any", criterion.any))
        for position, condition in enumerate(conditions)
        for comparison in _comparisons(condition)
    ]


def lasting_rows(response: Response) -> list[tuple[Cell, ...]]:
    """The criteria whose response has to last, for how many days."""
    return [
        (number, criterion.lasting.days, criterion.lasting.needs_contact)
        for number, criterion in enumerate(response.criteria)
        if criterion.lasting
    ]


def contradiction_rows(response: Response) -> list[tuple[Cell, ...]]:
    """What contradicts such a response: the comparisons of one condition hold together."""
    return [
        (number, position, *comparison)
        for number, criterion in enumerate(response.criteria)
        if criterion.lasting
        for position, condition in enumerate(criterion.lasting.contradicted_by)
        for comparison in _comparisons(condition)
    ]


def _comparisons(condition: Condition) -> Iterator[tuple[str, str, float | None, bool | None]]:
    if condition.equals is not None:
        yield condition.variable, "equals", None, condition.equals
    for comparison in COMPARISONS:
        bound = getattr(condition, comparison)
        if bound is not None:
            yield condition.variable, comparison, bound, None


def probe_rows(response: Response) -> list[tuple[Cell, ...]]:
    """For each variable, one value of every range between the criteria's bounds, and the bounds themselves.

    Whatever a missing value was, the criteria decide as they do for one of these.
    """
    bounds: dict[str, set[float]] = {}
    flags: set[str] = set()
    conditions = [c for criterion in response.criteria for c in (*criterion.all, *criterion.any)]
    for variable, comparison, bound, expected in (row for c in conditions for row in _comparisons(c)):
        if expected is not None:
            flags.add(variable)
        elif bound is not None and comparison not in OF_BASELINE:
            bounds.setdefault(variable, set()).add(bound)
    numbers = [(v, number, None) for v, found in sorted(bounds.items()) for number in _cells(sorted(found))]
    return [*numbers, *((v, None, truth) for v in sorted(flags) for truth in (False, True))]


def _cells(bounds: list[float]) -> list[float]:
    between = [(low + high) / 2 for low, high in pairwise(bounds)]
    return sorted({*bounds, *between, bounds[0] - 1, bounds[-1] + 1})


def reason_rows(response: Response) -> list[tuple[Cell, ...]]:
    """Names of what an undecided criterion lacks, in order: pairs, baselines, the rest.

    A variable whose missing value has a meaning can only be undecided by its value, so it comes with the rest.
    """
    needed = [variable for variable in response.pair if variable not in response.meanings]
    others = [variable for variable in response.pair if variable not in needed]
    measured = [response.assessment.variable, *response.pair]
    pairs = [(variable, False, f"{variable}_missing") for variable in needed]
    baselines = [(variable, True, f"baseline_{variable}_missing") for variable in measured]
    rest = [*others, *response.findings, response.assessment.variable]
    reasons = [*pairs, *baselines, *((variable, False, f"{variable}_missing") for variable in rest)]
    return [(*reason, rank) for rank, reason in enumerate(reasons)]
