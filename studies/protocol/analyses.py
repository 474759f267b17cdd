"""What is reported, for whom, decided by what, and what may leave the data holder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from studies.protocol.section import Name, Section


class Analyses(Section):
    report_weeks: list[Annotated[int, Field(ge=1)]]
    proportion_interval: Literal["clopper-pearson", "wilson", "wald"]
    survival_interval: Literal["log-log", "log", "plain"]


class Comparison(Section):
    """Groups compared in a cumulative incidence, as `gray.<name>` and `cause_specific.<name>`."""

    incidence: Name
    by: Name = Field(description="`site`, a subgroup, or the event of `survival_by`")
    methods: list[Literal["gray", "cause_specific"]] = Field(
        default=["gray", "cause_specific"],
        min_length=1,
        description="Gray's test; Cox regression of each cause, the event of `survival_by` time-dependent",
    )


class Threshold(Section):
    name: Name
    analysis: str
    at_least: float = Field(ge=0, le=100, description="percent")
    note: str = ""


class Decision(Section):
    alpha: float = Field(gt=0, lt=1)
    thresholds: list[Threshold]


class Disclosure(Section):
    threshold: Annotated[int, Field(ge=1)]


class Quality(Section):
    quarantine_limit_percent: float = Field(ge=0, le=100)
    fatal_rules: list[str] = Field(
        default_factory=list,
        description="rules of the full validation, or families of them, that cost a resource its use in this study",
    )


class Subgroup(Section):
    """A grouping of persons by a baseline variable, cut at `cuts` where it is a number."""

    variable: Literal["age", "sex", "phenotype", "regimen", "refractory", "evidence_level"]
    cuts: list[float] = Field(default_factory=list)
