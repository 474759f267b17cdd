"""What is measured, and what a response is told from; the criteria are files of their own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from studies.protocol.criteria import CriteriaSet, Criterion, Meaning, Outcome, Window
from studies.protocol.section import Days, Name, Section

# Responses that no criterion gives: none of them holds, or one can't be decided.
NOT_RESPONDING, NOT_EVALUABLE = "NR", "NE"


class Measurement(Section):
    label: str | None = Field(default=None, description="as the report calls it")
    unit: str = Field(description="UCUM unit in which values are kept and compared")
    molar_mass: float | None = Field(
        default=None, gt=0, description="g/mol, where hospitals mix mass and moles"
    )


class Assessment(Section):
    """The measurement whose evaluations are assessed, and what the criteria call it."""

    variable: Name
    measurement: Name


class Finding(Section):
    """A variable of yes or no.

    An observation: the last at or before the assessment. A procedure: one in the days before the value that it is
    `near` to, or before the assessment. A course: that it is over, with no dose of an index drug still to come in it.
    """

    from_: Literal["observation", "procedure", "course"] = Field(alias="from")
    label: str | None = Field(default=None, description="as the report calls it")
    codelist: Name | None = None
    days_before: Days | None = None
    near: Name | None = Field(default=None, description="a paired variable")


class Response(Section):
    primary: Literal["derived", "investigator"]
    investigator: Name | None = Field(default=None, description="codelist of the investigator's assessment")
    assessment: Assessment
    pair: dict[Name, Name] = Field(default_factory=dict, description="variable → measurement")
    findings: dict[Name, Finding] = Field(default_factory=dict)
    ends_at: list[Name]
    criteria_set: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]* \S+$")] = Field(
        description="name and version of a file in `criteria/`"
    )
    missing_means: dict[str, Meaning | Literal["unknown"]] = Field(
        default_factory=dict, description="instead of what the criteria set says"
    )
    counts_certain: bool = Field(
        default=False,
        description="the main outcome counts where it is certain, though its response can't be told",
    )
    # Read from the study's `criteria/*.yaml`, by name; never written in the protocol.
    criteria_sets: SkipJsonSchema[dict[Name, CriteriaSet]] = Field(default_factory=dict)

    @property
    def set_name(self) -> str:
        """The name of the criteria set, without its version."""
        return self.criteria_set.partition(" ")[0]

    @property
    def chosen_set(self) -> CriteriaSet | None:
        """The criteria set that the protocol names; None where there is no such file."""
        return self.criteria_sets.get(self.set_name)

    @property
    def criteria(self) -> list[Criterion]:
        """The criteria of the set, in order."""
        return self.chosen_set.criteria if self.chosen_set else []

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """The outcomes of the set; the first is the main one."""
        return self.chosen_set.outcomes if self.chosen_set else {}

    @property
    def main_outcome(self) -> str:
        """The name of the main outcome."""
        return next(iter(self.outcomes))

    @property
    def window(self) -> Window | None:
        """From when to when paired values may lie."""
        return self.chosen_set.window if self.chosen_set else None

    @property
    def levels(self) -> list[str]:
        """The responses, from the best to the worst."""
        named = [criterion.response for criterion in self.criteria]
        return list(dict.fromkeys([*named, NOT_RESPONDING, NOT_EVALUABLE]))

    @property
    def meanings(self) -> dict[str, Meaning]:
        """What a missing value means: of the set, and where the protocol says otherwise, of the protocol."""
        given = {**(self.chosen_set.missing_means if self.chosen_set else {}), **self.missing_means}
        return {variable: meaning for variable, meaning in given.items() if not isinstance(meaning, str)}
