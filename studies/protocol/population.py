"""Who is in the study: diagnosis, index drug, exposure, baseline and dates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from studies.protocol.section import Days, Evidence, Name, Section, SomeDays


class Diagnosis(Section):
    codelist: Name
    days_after_index: Days


class IndexDrug(Section):
    codelist: Name
    evidence: list[Evidence] = Field(min_length=1, description="levels that count, best first")
    routes: Name | None = Field(default=None, description="codelist of routes that count; absent: any")


class Population(Section):
    diagnosis: Diagnosis | None = None
    index_drug: IndexDrug


class Dates(Section):
    impute: Literal["first", "middle", "last"]
    undated_death: Literal["last_contact"]


class Combination(Section):
    codelist: Name
    days_before: Days
    days_after: Days


class Exposure(Section):
    cycle_gap_days: SomeDays | None = None
    combination: Combination | None = None


class Baseline(Section):
    age_at_diagnosis: bool = False
    phenotype: dict[str, Name] = Field(default_factory=dict, description="level → codelist of diagnoses")
    prior_regimens: Name | None = None
    refractory: Name | None = None
    completed_follow_up: Name | None = None
