"""What every part of a protocol has in common, and the kinds of values that several parts use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
# More days than this are a slip of the keyboard, and leave what the warehouse can count.
MOST_DAYS = 1_000_000
Days = Annotated[int, Field(ge=0, le=MOST_DAYS)]
SomeDays = Annotated[int, Field(ge=1, le=MOST_DAYS)]
Evidence = Literal["administered", "dispensed", "stated", "ordered"]


class Section(BaseModel):
    """A part of the protocol; a key that it doesn't know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)
