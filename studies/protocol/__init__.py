"""What a protocol may say: its sections, keys and values, with their meaning and their units."""

from __future__ import annotations

from pydantic import Field

from studies.protocol.analyses import (
    Analyses,
    Comparison,
    Decision,
    Disclosure,
    Quality,
    Refund,
    Subgroup,
    Threshold,
    Tier,
)
from studies.protocol.comparators import Comparator, Control
from studies.protocol.criteria import Condition, CriteriaSet, Criterion, Lasting, Meaning, Outcome, Window
from studies.protocol.endpoints import (
    OVERALL_SURVIVAL,
    Censoring,
    Deaths,
    Endpoint,
    Incidence,
    StudyPopulation,
    SurvivalBy,
    TimeToEvent,
)
from studies.protocol.events import NamedEvent, Sign
from studies.protocol.population import (
    Baseline,
    Combination,
    Dates,
    Diagnosis,
    Exposure,
    IndexDrug,
    Population,
)
from studies.protocol.response import (
    NOT_EVALUABLE,
    NOT_RESPONDING,
    Assessment,
    Finding,
    Measurement,
    Response,
)
from studies.protocol.safety import Laboratory, LaboratoryTest, Rate, Safety
from studies.protocol.section import Days, Evidence, Name, Section
from studies.protocol.sensitivity import Variation

__all__ = [
    "NOT_EVALUABLE",
    "NOT_RESPONDING",
    "OVERALL_SURVIVAL",
    "Analyses",
    "Assessment",
    "Baseline",
    "Censoring",
    "Combination",
    "Comparator",
    "Comparison",
    "Condition",
    "Control",
    "CriteriaSet",
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
    "Finding",
    "Incidence",
    "IndexDrug",
    "Laboratory",
    "LaboratoryTest",
    "Lasting",
    "Meaning",
    "Measurement",
    "Name",
    "NamedEvent",
    "Outcome",
    "Population",
    "Protocol",
    "Quality",
    "Rate",
    "Refund",
    "Response",
    "Safety",
    "Section",
    "Sign",
    "StudyPopulation",
    "Subgroup",
    "SurvivalBy",
    "Threshold",
    "Tier",
    "TimeToEvent",
    "Variation",
    "Window",
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
    populations: dict[Name, StudyPopulation] = Field(default_factory=dict)
    endpoints: dict[Name, Endpoint]
    incidences: dict[Name, Incidence] = Field(default_factory=dict)
    survival_by: SurvivalBy | None = None
    deaths: Deaths
    safety: Safety | None = None
    analyses: Analyses
    subgroups: dict[Name, Subgroup] = Field(default_factory=dict)
    comparisons: dict[Name, Comparison] = Field(default_factory=dict)
    sensitivity: dict[Name, Variation] = Field(default_factory=dict)
    decision: Decision | None = None
    comparators: dict[Name, Comparator] = Field(default_factory=dict)
    control: Control | None = None
    disclosure: Disclosure
    quality: Quality
