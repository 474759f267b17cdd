"""What happens, and the times to it: endpoints, cumulative incidences, populations and deaths."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from studies.protocol.section import Days, Name, Section, SomeDays

OVERALL_SURVIVAL = "overall_survival"  # the endpoint that follow-up and survival by an event are of


class Censoring(Section):
    """Where follow-up without an event ends."""

    at: Name = Field(description="the last event of this name")
    after: Name | None = Field(
        default=None, description="only for persons who had this event; absent: for all"
    )


def _from_name(written: object) -> object:
    return [{"at": written}] if isinstance(written, str) else written


def _or_name(schema: dict[str, Any]) -> None:
    shapes = {key: schema.pop(key) for key in ("items", "type") if key in schema}
    schema["anyOf"] = [{"type": "string"}, shapes]


# A name alone is for everybody.
Censors = Annotated[list[Censoring], BeforeValidator(_from_name), Field(json_schema_extra=_or_name)]


class TimeToEvent(Section):
    """What endpoints and incidences have in common: from a start to the first of several events."""

    label: str | None = Field(default=None, description="as the report calls it")
    population: Name = Field(default="treated", description="treated, or one of `populations`")
    start: Name = "index"
    events: list[Name] = Field(min_length=1)
    censor: Censors = Field(
        default_factory=list, description="a name, or the first that is for the person; absent: last_contact"
    )
    ends_at: list[Name] = Field(default_factory=list, description="events that end follow-up")
    assessment_gap_days: SomeDays | None = Field(
        default=None,
        description="follow-up ends at the last evaluation before a longer time without one",
    )
    exclude_prevalent: bool = False

    @property
    def is_of_all(self) -> bool:
        """Whether each treated person has a time."""
        return self.population == "treated" and self.start == "index" and not self.exclude_prevalent


class Endpoint(TimeToEvent):
    paramcd: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
    variants: dict[Name, list[Name]] = Field(
        default_factory=dict, description="name → events that end follow-up"
    )


class Incidence(TimeToEvent):
    competing: list[Name] = Field(min_length=1)
    competing_first: bool = Field(
        default=False, description="which comes first on a day with both; absent: the event of interest"
    )
    weeks: list[Annotated[int, Field(ge=1)]] | None = None


class StudyPopulation(Section):
    """The treated persons who had an event on or after the index date."""

    event: Name
    label: str | None = Field(default=None, description="as the report calls these persons")


class SurvivalBy(Section):
    event: Name
    same_day_first: list[Name] = Field(
        default_factory=list, description="events that come before it on a day with both"
    )
    landmarks: list[SomeDays]


class Deaths(Section):
    codelist: Name | None = Field(default=None, description="death observations, by code or value")
    discharge: Name | None = Field(default=None, description="discharge codes, beside the standard's `exp`")
    cause: Name | None = None
    order: list[Literal["patient", "observation", "encounter", "adverse_event"]]
    early_days: Days
    after_event: Name | None = None
