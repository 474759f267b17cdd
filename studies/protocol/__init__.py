"""What a protocol may say: its sections, keys and values, with their meaning and their units."""

from __future__ import annotations

from pydantic import Field

from studies.protocol.analyses import Analyses, Decision, Disclosure, Quality, Subgroup, Threshold
from studies.protocol.comparators import Comparator
from studies.protocol.endpoints import Deaths, Endpoint, Incidence, NamedEvent, SurvivalBy
from studies.protocol.population import (
    Baseline,
    Combination,
    Dates,
    Diagnosis,
    Exposure,
    IndexDrug,
    Population,
)
from studies.protocol.response import Condition, Criterion, Measurement, Relapse, Response, Transfusion
from studies.protocol.safety import Laboratory, LaboratoryTest, Safety
from studies.protocol.section import Days, Evidence, Name, Section

__all__ = [
    "Analyses",
    "Baseline",
    "Combination",
    "Comparator",
    "Condition",
    "Criterion",
    "Dates",
    "Days",
    "Deaths",
    "Decision",
    "Diagnosis",
    "Disclosure",
    "Endpoint",
    "Evidence",
    "Exposure",
    "Incidence",
    "IndexDrug",
    "Laboratory",
    "LaboratoryTest",
    "Measurement",
    "Name",
    "NamedEvent",
    "Population",
    "Protocol",
    "Quality",
    "Relapse",
    "Response",
    "Safety",
    "Section",
    "Subgroup",
    "SurvivalBy",
    "Threshold",
    "Transfusion",
]


class Protocol(Section):
    """A study: population, index drugs, windows, criteria, endpoints, safety rules, analyses."""

    id: Name
    version: str
    title: str
    question: str
    reference: str = ""
    data_cutoff: str | None = None
    simulated: bool = False
    population: Population
    dates: Dates
    exposure: Exposure
    baseline: Baseline
    measurements: dict[Name, Measurement] = Field(default_factory=dict)
    events: dict[Name, NamedEvent] = Field(default_factory=dict)
    response: Response | None = None
    endpoints: dict[Name, Endpoint]
    incidences: dict[Name, Incidence] = Field(default_factory=dict)
    survival_by: SurvivalBy | None = None
    deaths: Deaths
    safety: Safety | None = None
    analyses: Analyses
    subgroups: dict[Name, Subgroup] = Field(default_factory=dict)
    decision: Decision | None = None
    comparators: dict[Name, Comparator] = Field(default_factory=dict)
    disclosure: Disclosure
    quality: Quality
