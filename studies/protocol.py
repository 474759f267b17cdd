"""What a protocol may say: its sections, keys and values, with their meaning and their units."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Days = Annotated[int, Field(ge=0)]
Evidence = Literal["administered", "dispensed", "stated", "ordered"]


class Section(BaseModel):
    """A part of the protocol; a key that it doesn't know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


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
    cycle_gap_days: Annotated[int, Field(ge=1)] | None = None
    combination: Combination | None = None


class Baseline(Section):
    age_at_diagnosis: bool = False
    phenotype: dict[str, Name] = Field(default_factory=dict, description="level → codelist of diagnoses")
    prior_regimens: Name | None = None
    refractory: Name | None = None
    completed_follow_up: Name | None = None


class Measurement(Section):
    unit: str = Field(description="UCUM unit in which values are kept and compared")
    molar_mass: float | None = Field(
        default=None, gt=0, description="g/mol, where hospitals mix mass and moles"
    )


class NamedEvent(Section):
    from_: Literal["procedure", "diagnosis", "drug"] = Field(alias="from")
    codelist: Name


class Condition(Section):
    """One comparison of a criterion: bounds are inclusive (at_least, at_most) or exclusive (above, below)."""

    variable: str
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    equals: bool | None = None
    at_most_of_baseline: float | None = Field(
        default=None, gt=0, description="fraction of the baseline value"
    )


class Criterion(Section):
    """True when every condition of `all` and, where there are some, at least one of `any` holds."""

    response: str
    all: list[Condition] = Field(min_length=1)
    any: list[Condition] = Field(default_factory=list)


class Transfusion(Section):
    codelist: Name
    days_before: Days


class Relapse(Section):
    marrow_blasts_at_least: float
    extramedullary: bool
    item: Name | None = None
    clinical_status: list[str] = Field(default_factory=list)
    codelist: Name | None = None


class Response(Section):
    primary: Literal["derived", "investigator"]
    investigator: Name | None = Field(default=None, description="codelist of the investigator's assessment")
    assessment: Name
    pair: dict[str, Name]
    pair_days_before: Days
    pair_days_after: Days
    extramedullary: Name | None = None
    transfusion: Transfusion | None = None
    ends_at: list[Name]
    missing_means_none: list[str]
    criteria_set: str
    criteria: list[Criterion] = Field(min_length=1)
    remission: list[str] = Field(min_length=1)
    overall: list[str] = Field(min_length=1)
    relapse: Relapse


class Endpoint(Section):
    paramcd: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
    population: Literal["treated", "responders"] = "treated"
    start: Name
    events: list[Name] = Field(min_length=1)
    failure_day: Annotated[int, Field(ge=1)] | None = None
    censor: Name | None = None
    censor_after_remission: Name | None = None
    variants: dict[Name, list[Name]] = Field(
        default_factory=dict, description="name → events that end follow-up"
    )
    exclude_prevalent: bool = False


class Incidence(Section):
    events: list[Name] = Field(min_length=1)
    competing: list[Name] = Field(min_length=1)
    censor: Name
    weeks: list[Annotated[int, Field(ge=1)]] | None = None
    exclude_prevalent: bool = False


class SurvivalBy(Section):
    event: Name
    landmarks: list[Annotated[int, Field(ge=1)]]


class Deaths(Section):
    codelist: Name | None = Field(default=None, description="death observations, by code or value")
    discharge: Name | None = Field(default=None, description="discharge codes, beside the standard's `exp`")
    cause: Name | None = None
    order: list[Literal["patient", "observation", "encounter", "adverse_event"]]
    early_days: Days
    after_event: Name | None = None


class LaboratoryTest(Section):
    term: str
    measurement: Name
    lower: float | None = Field(default=None, description="lower limit of normal where the source gives none")
    upper: float | None = Field(default=None, description="upper limit of normal where the source gives none")


class Laboratory(Section):
    ctcae_version: Literal["5.0", "6.0"]
    days_after_last_dose: Days
    tests: list[LaboratoryTest]


class Safety(Section):
    days_after_last_dose: Days
    laboratory: Laboratory | None = None


class Analyses(Section):
    report_weeks: list[Annotated[int, Field(ge=1)]]
    proportion_interval: Literal["clopper-pearson", "wilson", "wald"]
    survival_interval: Literal["log-log", "log", "plain"]


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
    disclosure: Disclosure
    quality: Quality
