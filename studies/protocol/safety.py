"""Adverse events and laboratory values."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from studies.protocol.section import Days, Name, Section


class LaboratoryTest(Section):
    term: str
    measurement: Name
    lower: float | None = Field(default=None, description="lower limit of normal where the source gives none")
    upper: float | None = Field(default=None, description="upper limit of normal where the source gives none")


class Laboratory(Section):
    ctcae_version: Literal["5.0", "6.0"]
    days_after_last_dose: Days
    tests: list[LaboratoryTest]


class Rate(Section):
    """Events for each 100 person-years, as `rate.<name>`."""

    of: Literal["any", "grade_3_plus", "serious", "related", "fatal", "led_to_discontinuation"] = "any"
    count: Literal["first", "all"] = Field(
        default="first", description="first: a person's time ends at the first event; all: no event ends it"
    )


class Safety(Section):
    days_after_last_dose: Days
    common_percent: float = Field(
        default=10,
        gt=0,
        le=100,
        description="from how many percent of persons on a term stands in `teae.common`",
    )
    rates: dict[Name, Rate] = Field(default_factory=dict)
    laboratory: Laboratory | None = None
