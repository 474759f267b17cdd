"""What the study is set beside: published controls, and control patients of the sites."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from studies.protocol.section import Name, Section


class Comparator(Section):
    """A published control group: how many of how many had what `analysis` (and `level`) counts in the study."""

    source: str = Field(min_length=1)
    analysis: str
    level: str | None = None
    n: int = Field(ge=1, description="persons of the control group")
    events: int = Field(ge=0, description="those of them with the outcome")
    note: str = Field(
        default="",
        description="how the counts were had, and what the comparison can't claim; printed with it",
    )


class Control(Section):
    """Control patients of the sites: treated with another drug, never with the index drug; weighted by propensity."""

    codelist: Name
    covariates: list[Name] = Field(min_length=1, description="of the baseline, and of `measurements`")
    outcomes: list[str] = Field(min_length=1, description="proportions of the response, and endpoints")
    missing: Literal["complete_cases", "category"]
    trim: float = Field(
        ge=0, lt=0.5, description="propensities this near to 0 or 1 are left out of the trimmed"
    )
    replicates: int = Field(ge=100, le=20_000)
    seed: int = Field(ge=0)
