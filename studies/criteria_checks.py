"""Response criteria that can't be decided, can't ever be true, or never come to their turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import NOT_EVALUABLE, NOT_RESPONDING, Condition, CriteriaSet, Criterion, Response, Sign

Problem = tuple[KeyPath, str]

OF_BASELINE = ("at_most_of_baseline", "at_least_of_baseline")


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

    def narrowed_of_baseline(self, condition: Condition | Sign) -> Range:
        """The same for fractions of the baseline."""
        low, high = condition.at_least_of_baseline, condition.at_most_of_baseline
        return Range(
            self.low if low is None else max(self.low, low),
            high=self.high if high is None else min(self.high, high),
        )

    @property
    def is_empty(self) -> bool:
        if self.low == self.high:
            return not (self.low_inclusive and self.high_inclusive)
        return self.low > self.high

    def holds(self, other: Range) -> bool:
        """Whether every value that the other leaves is among these."""
        is_above = (other.low, not other.low_inclusive) >= (self.low, not self.low_inclusive)
        return is_above and (other.high, other.high_inclusive) <= (self.high, self.high_inclusive)


def is_never(sign: Sign) -> bool:
    """Whether no value fulfils the bounds."""
    return Range().narrowed(sign).is_empty or Range().narrowed_of_baseline(sign).is_empty


def numeric_variables(response: Response) -> set[str]:
    """Variables of the criteria that are numbers."""
    return {response.assessment.variable, *response.pair}


def criteria_problems(response: Response) -> Iterator[Problem]:
    """Every problem of every criteria set, with the path of the key that it is at."""
    for name, criteria in response.criteria_sets.items():
        path: KeyPath = ("response", "criteria_sets", name)
        yield from _set_problems(response, criteria, path)
        for number, criterion in enumerate(criteria.criteria):
            at = (*path, "criteria", number)
            mistakes = list(_criterion_problems(response, criterion, at))
            yield from mistakes or _contradictions(criterion, at)
        yield from _shadowed(criteria.criteria, path)


def _set_problems(response: Response, criteria: CriteriaSet, path: KeyPath) -> Iterator[Problem]:
    decided = list(dict.fromkeys(criterion.response for criterion in criteria.criteria))
    known = numeric_variables(response) | set(response.findings)
    for variable, meaning in criteria.missing_means.items():
        yield from missing_problems(response, variable, meaning, (*path, "missing_means", variable), known)
    for name, outcome in criteria.outcomes.items():
        for number, level in enumerate(outcome.responses):
            if level not in decided:
                at = (*path, "outcomes", name, "responses", number)
                yield at, f'"{level}" is no response of `criteria`; {did_you_mean(level, decided)}'
        if name in ("best", "not_evaluable", "agreement"):
            yield (*path, "outcomes", name), "an analysis has this name already; choose another"
    levels = [*decided, NOT_RESPONDING, NOT_EVALUABLE]
    for code, level in criteria.recorded_as.items():
        if level not in levels:
            yield (
                (*path, "recorded_as", code),
                f'"{level}" is no response of this set; {did_you_mean(level, levels)}',
            )
    for level in criteria.labels:
        if level not in levels:
            yield (
                (*path, "labels", level),
                f"{level} is no response of this set; {did_you_mean(level, levels)}",
            )


def missing_problems(
    response: Response, variable: str, meaning: object, path: KeyPath, known: set[str]
) -> Iterator[Problem]:
    """What is wrong with the meaning of a missing value."""
    if variable == response.assessment.variable:
        yield path, f"without a value of {variable} there is no assessment; remove it"
    elif variable not in known:
        yield path, f'"{variable}" is neither paired nor a finding; {did_you_mean(variable, known)}'
    elif meaning != "unknown" and isinstance(meaning, bool) != (variable in response.findings):
        kind = "true or false" if variable in response.findings else "a number"
        yield path, f"{variable} is {kind}; write such a value, or leave it out"


def _criterion_problems(response: Response, criterion: Criterion, path: KeyPath) -> Iterator[Problem]:
    if criterion.response in (NOT_RESPONDING, NOT_EVALUABLE):
        yield (*path, "response"), f"{criterion.response} is what no criterion gives; remove it or rename it"
    parts = [("all", criterion.all), ("any", criterion.any)]
    places = [((*path, part), conditions) for part, conditions in parts]
    if criterion.lasting:
        places.append(((*path, "lasting", "contradicted_by"), criterion.lasting.contradicted_by))
    for place, conditions in places:
        for number, condition in enumerate(conditions):
            yield from _condition_problems(response, condition, (*place, number))


def _condition_problems(response: Response, condition: Condition, at: KeyPath) -> Iterator[Problem]:
    known = numeric_variables(response) | set(response.findings)
    if condition.variable not in known:
        yield (
            (*at, "variable"),
            f'"{condition.variable}" is neither assessed, paired nor a finding; '
            f"{did_you_mean(condition.variable, known)}",
        )
        return
    is_boolean = condition.variable in response.findings
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
    if "lasting" in at and any(key in bounds for key in OF_BASELINE):
        yield at, "a later assessment isn't compared with the baseline; write numbers"
    for one, other in (("above", "at_least"), ("below", "at_most")):
        if one in bounds and other in bounds:
            yield (*at, one), f"stands beside {other}; keep one of the two"


@dataclass(frozen=True)
class Allowed:
    """What the conditions of `all` leave: of each number a range, and one of fractions of its baseline; of each
    finding true or false."""

    ranges: dict[str, Range] = field(default_factory=dict)
    fractions: dict[str, Range] = field(default_factory=dict)
    equals: dict[str, bool] = field(default_factory=dict)

    def fits(self, condition: Condition) -> bool:
        """Whether the condition can hold beside them."""
        truth = self.equals.get(condition.variable, condition.equals)
        left = self.ranges.get(condition.variable, Range()).narrowed(condition)
        fractions = self.fractions.get(condition.variable, Range()).narrowed_of_baseline(condition)
        is_empty = left.is_empty or fractions.is_empty
        return (condition.equals is None or truth == condition.equals) and not is_empty

    def with_(self, condition: Condition) -> Allowed:
        """What is left beside the condition too."""
        variable = condition.variable
        if condition.equals is not None:
            return replace(self, equals={**self.equals, variable: condition.equals})
        narrowed = self.ranges.get(variable, Range()).narrowed(condition)
        fractions = self.fractions.get(variable, Range()).narrowed_of_baseline(condition)
        return replace(
            self,
            ranges={**self.ranges, variable: narrowed},
            fractions={**self.fractions, variable: fractions},
        )

    def implies(self, condition: Condition) -> bool:
        """Whether all that is left fulfils the condition; not known where a baseline decides."""
        if condition.equals is not None:
            return self.equals.get(condition.variable) == condition.equals
        if any(getattr(condition, key) is not None for key in OF_BASELINE):
            return False
        return Range().narrowed(condition).holds(self.ranges.get(condition.variable, Range()))


def _allowed(criterion: Criterion) -> Allowed:
    allowed = Allowed()
    for condition in criterion.all:
        allowed = allowed.with_(condition)
    return allowed


def _contradictions(criterion: Criterion, path: KeyPath) -> Iterator[Problem]:
    """The first condition of `all` that contradicts those before it; `any` when none of it is possible; what would
    undo the response and never can."""
    allowed = Allowed()
    for number, condition in enumerate(criterion.all):
        if not allowed.fits(condition):
            yield (
                (*path, "all", number),
                f"contradicts the bounds of {condition.variable}; nothing can be {criterion.response}",
            )
            return
        allowed = allowed.with_(condition)
    if criterion.any and not any(allowed.fits(one) for one in criterion.any):
        yield (
            (*path, "any"),
            f"each condition contradicts those of `all`; nothing can be {criterion.response}",
        )
    undoing = criterion.lasting.contradicted_by if criterion.lasting else []
    for number, condition in enumerate(undoing):
        if not Allowed().fits(condition):
            yield (*path, "lasting", "contradicted_by", number), "contradicts itself; no value fulfils it"


def _shadowed(criteria: list[Criterion], path: KeyPath) -> Iterator[Problem]:
    """Criteria that are true only where an earlier one is, and so never come to their turn."""
    for number, criterion in enumerate(criteria):
        allowed = _allowed(criterion)
        for before, earlier in enumerate(criteria[:number]):
            if (
                earlier.lasting is None
                and not earlier.any
                and all(allowed.implies(one) for one in earlier.all)
            ):
                yield (
                    (*path, "criteria", number),
                    f"is true only where criteria[{before + 1}] ({earlier.response}) is, which comes first; "
                    "write it before that, or remove it",
                )
                break
