"""A set of response criteria: a file of its own, `criteria/<name>.yaml`, versioned."""

from __future__ import annotations

from pydantic import Field

from studies.protocol.section import Days, Name, Section, SomeDays

# What a value that isn't there means; a number of a measured variable, true or false of a finding.
Meaning = bool | float


class Condition(Section):
    """One comparison of a criterion: bounds are inclusive (at_least, at_most) or exclusive (above, below)."""

    variable: str
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    equals: bool | None = None
    at_most_of_baseline: float | None = Field(
        default=None, gt=0, description="fraction of the baseline value"
    )
    at_least_of_baseline: float | None = Field(
        default=None, gt=0, description="fraction of the baseline value"
    )


class Lasting(Section):
    """A response that has to last: later assessments may contradict it."""

    days: SomeDays
    contradicted_by: list[Condition] = Field(
        min_length=1, description="by a later assessment within the days that fulfils one of these"
    )
    needs_contact: bool = Field(
        default=False, description="true: counts only with a contact on or after the last of the days"
    )


class Criterion(Section):
    """True when every condition of `all` and, where there are some, at least one of `any` holds."""

    response: str
    all: list[Condition] = Field(min_length=1)
    any: list[Condition] = Field(default_factory=list)
    lasting: Lasting | None = None


class Outcome(Section):
    """Responses that count together as a success."""

    label: str | None = Field(default=None, description="as the report calls it")
    responses: list[str] = Field(min_length=1)


class Window(Section):
    """From when to when a value may lie to be paired with an assessment."""

    days_before: Days
    days_after: Days


class CriteriaSet(Section):
    """Criteria in order, the first that is true gives the response; what counts as what; what missing values mean."""

    title: str
    version: str
    source: str = Field(description="where the criteria are published")
    choices: list[str] = Field(
        default_factory=list, description="what the source leaves open and is decided here; printed"
    )
    window: Window
    missing_means: dict[str, Meaning] = Field(
        default_factory=dict, description="variable → the value taken where there is none; absent: unknown"
    )
    criteria: list[Criterion] = Field(min_length=1)
    labels: dict[str, str] = Field(default_factory=dict, description="response → in words")
    outcomes: dict[Name, Outcome] = Field(min_length=1, description="the first is the main one")
    recorded_as: dict[str, str] = Field(
        default_factory=dict, description="an investigator's response → what it is in this set"
    )
