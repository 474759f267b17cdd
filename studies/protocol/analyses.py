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


# More than any contract is worth; a double holds each amount up to this to the tenth.
Money = Annotated[float, Field(ge=0, le=1e15)]


class Tier(Section):
    """What is paid back from a shortfall on, until the next tier."""

    shortfall_at_least: float = Field(ge=0, description="percentage points between estimate and threshold")
    share_percent: float = Field(ge=0, le=100, description="of the spend")


class Refund(Section):
    """What the contract pays back where the threshold isn't met.

    `share_of_spend`: a share of the spend. `per_non_responder`: a price for each person without the response (with
    the harm, where the threshold is a most). `tiered`: a share of the spend by the shortfall.
    """

    kind: Literal["share_of_spend", "per_non_responder", "tiered"]
    currency: str = Field(min_length=1)
    spend: Money | None = None
    share_percent: float | None = Field(default=None, ge=0, le=100)
    price: Money | None = None
    tiers: list[Tier] = Field(default_factory=list, description="by rising shortfall")
    cap: Money | None = Field(default=None, description="the most that is paid")


class Threshold(Section):
    name: Name
    analysis: str
    level: str | None = Field(default=None, description="of an analysis with levels")
    at_least: float | None = Field(default=None, ge=0, le=100, description="percent that must be reached")
    at_most: float | None = Field(default=None, ge=0, le=100, description="percent that mustn't be passed")
    refund: Refund | None = None
    note: str = ""

    @property
    def limit(self) -> float:
        """The threshold in percent, whichever side of it is asked for."""
        limit = self.at_least if self.at_least is not None else self.at_most
        if limit is None:
            raise ValueError("a threshold has `at_least` or `at_most`")
        return limit


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
