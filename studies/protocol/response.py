"""What is measured, and how a response and a relapse are told from it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from studies.protocol.section import Days, Name, Section


class Measurement(Section):
    unit: str = Field(description="UCUM unit in which values are kept and compared")
    molar_mass: float | None = Field(
        default=None, gt=0, description="g/mol, where hospitals mix mass and moles"
    )


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


class Criterion(Section):
    """True when every condition of `all` and, where there are some, at least one of `any` holds."""

    response: str
    all: list[Condition] = Field(min_length=1)
    any: list[Condition] = Field(default_factory=list)


class Transfusion(Section):
    codelist: Name
    days_before: Days


class Response(Section):
    primary: Literal["derived", "investigator"]
    investigator: Name | None = Field(default=None, description="codelist of the investigator's assessment")
    assessment: Name
    pair: dict[str, Name]
    pair_days_before: Days
    pair_days_after: Days
    extramedullary: Name | None = None
    transfusion: Transfusion | None = None
    ends_at: list[Name]
    missing_means_none: list[str]
    criteria_set: str
    criteria: list[Criterion] = Field(min_length=1)
    remission: list[str] = Field(min_length=1)
    certain_remission: bool = Field(
        default=False, description="a remission counts where it is certain, though its kind can't be told"
    )
    overall: list[str] = Field(min_length=1)

    @property
    def outcomes(self) -> dict[str, list[str]]:
        """The responses of each outcome."""
        return {"remission": self.remission, "overall": self.overall}
