"""What the study is set beside: published controls."""

from __future__ import annotations

from pydantic import Field

from studies.protocol.section import Section


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
