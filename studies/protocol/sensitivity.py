"""Sensitivity analyses: what is varied, why, and which analyses are given again."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from studies.protocol.section import Section


class Variation(Section):
    """Some analyses once more: under changed rules, of some persons only, or without one site at a time."""

    reason: str = Field(min_length=1, description="why, in words; printed in the report")
    analyses: list[str] = Field(min_length=1, description="analyses of results.csv that are given again")
    change: dict[str, JsonValue] = Field(
        default_factory=dict, description="key of the protocol, as `dates.impute` → the value it has here"
    )
    persons: Literal["all", "evaluable"] = Field(
        default="all", description="evaluable: those whose best response isn't NE"
    )
    leave_out: Literal["site"] | None = Field(default=None, description="site: once without each site")
