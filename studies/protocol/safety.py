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


class Safety(Section):
    days_after_last_dose: Days
    laboratory: Laboratory | None = None
