"""Named events: dated things that endpoints begin with, end with, or stop at."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from studies.protocol.section import Name, Section, SomeDays

Kind = Literal[
    "procedure", "diagnosis", "drug", "observation", "evaluation", "adverse_event", "response", "event"
]


class _Sign(Section):
    """What a record must be to tell an event; which keys fit which kind is checked with the whole protocol."""

    codelist: Name | None = None
    clinical_status: list[str] = Field(default_factory=list, description="of a diagnosis: one of these")
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    at_most_of_baseline: float | None = Field(
        default=None, gt=0, description="fraction of the baseline value"
    )
    at_least_of_baseline: float | None = Field(
        default=None, gt=0, description="fraction of the baseline value"
    )
    equals: bool | None = Field(default=None, description="of an observation of yes or no")
    values: Name | None = Field(default=None, description="codelist of an observation's coded values")
    grade_at_least: Annotated[int, Field(ge=1, le=5)] | None = None
    serious: bool | None = Field(default=None, description="true: only serious adverse events")
    outcome: Name | None = Field(default=None, description="an outcome of the response, such as remission")
    event: Name | None = Field(default=None, description="another named event")


class Sign(_Sign):
    """One kind of record that tells an event."""

    from_: Kind = Field(alias="from")


class NamedEvent(_Sign):
    """A sign, or `any` of several; or that another event has failed to come (`without`) by a day."""

    label: str | None = Field(default=None, description="as the report calls it")
    from_: Kind | None = Field(default=None, alias="from")
    any: list[Sign] = Field(default_factory=list, description="each of these tells the event")
    after: Name | None = Field(
        default=None, description="counts only later than the day of the first of this"
    )
    without: Name | None = Field(default=None, description="the event that fails to come")
    by_day: SomeDays | None = Field(default=None, description="days after the index date, or after `after`")

    @property
    def signs(self) -> list[Sign]:
        """The signs, each in full."""
        if self.from_ is None:
            return self.any
        own = self.model_dump(by_alias=True, exclude={"label", "any", "after", "without", "by_day"})
        return [Sign.model_validate(own)]
