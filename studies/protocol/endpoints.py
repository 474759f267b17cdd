"""What happens, and the times to it: named events, endpoints, cumulative incidences and deaths."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from studies.protocol.section import Days, Name, Section


class NamedEvent(Section):
    from_: Literal["procedure", "diagnosis", "drug"] = Field(alias="from")
    codelist: Name


class Endpoint(Section):
    paramcd: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
    population: Literal["treated", "responders"] = "treated"
    start: Name
    events: list[Name] = Field(min_length=1)
    failure_day: Annotated[int, Field(ge=1)] | None = None
    censor: Name | None = None
    censor_after_remission: Name | None = None
    variants: dict[Name, list[Name]] = Field(
        default_factory=dict, description="name → events that end follow-up"
    )
    exclude_prevalent: bool = False


class Incidence(Section):
    events: list[Name] = Field(min_length=1)
    competing: list[Name] = Field(min_length=1)
    censor: Name
    weeks: list[Annotated[int, Field(ge=1)]] | None = None
    exclude_prevalent: bool = False


class SurvivalBy(Section):
    event: Name
    landmarks: list[Annotated[int, Field(ge=1)]]


class Deaths(Section):
    codelist: Name | None = Field(default=None, description="death observations, by code or value")
    discharge: Name | None = Field(default=None, description="discharge codes, beside the standard's `exp`")
    cause: Name | None = None
    order: list[Literal["patient", "observation", "encounter", "adverse_event"]]
    early_days: Days
    after_event: Name | None = None
