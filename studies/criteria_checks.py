"""Response criteria that can't be decided or can't ever be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import Condition, Criterion, Response, Sign

Problem = tuple[KeyPath, str]

NOT_CRITERIA = ("NR", "NE")


@dataclass(frozen=True)
class Range:
    """The values that conditions leave to a variable."""

    low: float = float("-inf")
    low_inclusive: bool = True
    high: float = float("inf")
    high_inclusive: bool = True

    def narrowed(self, condition: Condition | Sign) -> Range:
        lows = [(self.low, not self.low_inclusive)]
        highs = [(self.high, self.high_inclusive)]
        if condition.above is not None:
            lows.append((condition.above, True))
        if condition.at_least is not None:
            lows.append((condition.at_least, False))
        if condition.below is not None:
            highs.append((condition.below, False))
        if condition.at_most is not None:
            highs.append((condition.at_most, True))
        low, low_exclusive = max(lows)
        high, high_inclusive = min(highs)
        return Range(low, not low_exclusive, high, high_inclusive)

    @property
    def is_empty(self) -> bool:
        if self.low == self.high:
            return not (self.low_inclusive and self.high_inclusive)
        return self.low > self.high


def is_never(sign: Sign) -> bool:
    """Whether no value fulfils the bounds."""
    return Range().narrowed(sign).is_empty


def numeric_variables(response: Response) -> set[str]:
    return {response.assessment, *response.pair}


def boolean_variables(response: Response) -> set[str]:
    declared = {"extramedullary": response.extramedullary, "transfused": response.transfusion}
    return {name for name, source in declared.items() if source is not None}


def criteria_problems(response: Response) -> Iterator[Problem]:
    """Every problem of the criteria, with the path of the key that it is at."""
    for number, criterion in enumerate(response.criteria):
        path: KeyPath = ("response", "criteria", number)
        if criterion.response in NOT_CRITERIA:
            yield (
                (*path, "response"),
                f"{criterion.response} is what no criterion gives; remove it or rename it",
            )
        mistakes = list(_condition_problems(response, criterion, path))
        yield from mistakes or _contradictions(criterion, path)


def _condition_problems(response: Response, criterion: Criterion, path: KeyPath) -> Iterator[Problem]:
    numeric, boolean = numeric_variables(response), boolean_variables(response)
    for part, conditions in (("all", criterion.all), ("any", criterion.any)):
        for number, condition in enumerate(conditions):
            at = (*path, part, number)
            if condition.variable not in numeric | boolean:
                hint = did_you_mean(condition.variable, numeric | boolean)
                yield (
                    (*at, "variable"),
                    f'"{condition.variable}" is neither assessed, paired nor an item here; {hint}',
                )
            else:
                yield from _bound_problems(condition, at, condition.variable in boolean, response.assessment)


def _bound_problems(
    condition: Condition, at: KeyPath, is_boolean: bool, assessment: str
) -> Iterator[Problem]:
    bounds = condition.model_dump(exclude={"variable"}, exclude_none=True)
    numbers = [key for key in bounds if key != "equals"]
    if not bounds:
        example = "equals: false" if is_boolean else "below: 5"
        yield at, f"no comparison; write one, for example {example}"
    elif is_boolean and numbers:
        yield (*at, numbers[0]), f"{condition.variable} is true or false; compare it by `equals`"
    elif not is_boolean and "equals" in bounds:
        yield (
            (*at, "equals"),
            f"{condition.variable} is a number; compare it by above, at_least, below, at_most",
        )
    elif "at_most_of_baseline" in bounds and condition.variable != assessment:
        yield (*at, "at_most_of_baseline"), f"only {assessment} is compared with its baseline; remove it"
    for one, other in (("above", "at_least"), ("below", "at_most")):
        if one in bounds and other in bounds:
            yield (*at, one), f"stands beside {other}; keep one of the two"


def _contradictions(criterion: Criterion, path: KeyPath) -> Iterator[Problem]:
    """The first condition of `all` that contradicts those before it; `any` when none of it is possible."""
    ranges: dict[str, Range] = {}
    equals: dict[str, bool] = {}
    for number, condition in enumerate(criterion.all):
        if not _is_possible(condition, ranges, equals):
            yield (
                (*path, "all", number),
                f"contradicts the bounds of {condition.variable}; nothing can be {criterion.response}",
            )
            return
        ranges[condition.variable] = ranges.get(condition.variable, Range()).narrowed(condition)
        if condition.equals is not None:
            equals[condition.variable] = condition.equals
    if criterion.any and not any(_is_possible(one, ranges, equals) for one in criterion.any):
        yield (
            (*path, "any"),
            f"each condition contradicts those of `all`; nothing can be {criterion.response}",
        )


def _is_possible(condition: Condition, ranges: dict[str, Range], equals: dict[str, bool]) -> bool:
    fits = condition.equals is None or equals.get(condition.variable, condition.equals) == condition.equals
    return fits and not ranges.get(condition.variable, Range()).narrowed(condition).is_empty
