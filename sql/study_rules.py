"""The rows of the protocol tables: what a protocol says, put flat. No value of a study stands here."""

from __future__ import annotations

from studies.bands import bands
from studies.protocol import Protocol
from studies.varied_analyses import varied_analyses

Setting = dict[str, tuple[str, str | int | float | bool | None]]


def setting_row(protocol: Protocol) -> Setting:
    """The scalars of a protocol, as name → (DuckDB type, value); null where their part is off."""
    return {**_population_setting(protocol), **_response_setting(protocol), **_outcome_setting(protocol)}


def _population_setting(protocol: Protocol) -> Setting:
    diagnosis, drug = protocol.population.diagnosis, protocol.population.index_drug
    combination, baseline = protocol.exposure.combination, protocol.baseline
    return {
        "study": ("VARCHAR", protocol.id),
        "impute": ("VARCHAR", protocol.dates.impute),
        "diagnosis_codelist": ("VARCHAR", diagnosis.codelist if diagnosis else None),
        "diagnosis_days_after_index": ("INTEGER", diagnosis.days_after_index if diagnosis else None),
        "index_codelist": ("VARCHAR", drug.codelist),
        "route_codelist": ("VARCHAR", drug.routes),
        "cycle_gap_days": ("INTEGER", protocol.exposure.cycle_gap_days),
        "combination_codelist": ("VARCHAR", combination.codelist if combination else None),
        "combination_days_before": ("INTEGER", combination.days_before if combination else None),
        "combination_days_after": ("INTEGER", combination.days_after if combination else None),
        "has_age_at_diagnosis": ("BOOLEAN", baseline.age_at_diagnosis),
        "has_phenotype": ("BOOLEAN", bool(baseline.phenotype)),
        "prior_regimens_codelist": ("VARCHAR", baseline.prior_regimens),
        "refractory_codelist": ("VARCHAR", baseline.refractory),
        "completed_follow_up_codelist": ("VARCHAR", baseline.completed_follow_up),
    }


def _response_setting(protocol: Protocol) -> Setting:
    response = protocol.response
    window = response.window if response else None
    return {
        "counts_certain": ("BOOLEAN", response.counts_certain if response else None),
        "response_primary": ("VARCHAR", response.primary if response else None),
        "investigator_codelist": ("VARCHAR", response.investigator if response else None),
        "assessment_variable": ("VARCHAR", response.assessment.variable if response else None),
        "assessment_codelist": ("VARCHAR", response.assessment.measurement if response else None),
        "pair_days_before": ("INTEGER", window.days_before if window else None),
        "pair_days_after": ("INTEGER", window.days_after if window else None),
    }


def _outcome_setting(protocol: Protocol) -> Setting:
    deaths, safety, by = protocol.deaths, protocol.safety, protocol.survival_by
    laboratory = safety.laboratory if safety else None
    return {
        "survival_by_event": ("VARCHAR", by.event if by else None),
        "death_cause_codelist": ("VARCHAR", deaths.cause),
        "early_death_days": ("INTEGER", deaths.early_days),
        "death_after_event": ("VARCHAR", deaths.after_event),
        "safety_days_after_last_dose": ("INTEGER", safety.days_after_last_dose if safety else None),
        "laboratory_days_after_last_dose": (
            "INTEGER",
            laboratory.days_after_last_dose if laboratory else None,
        ),
        "ctcae_version": ("VARCHAR", laboratory.ctcae_version if laboratory else None),
    }


def drug_codelists(protocol: Protocol) -> list[str]:
    """Codelists whose drugs the study counts doses of, each once."""
    combination = protocol.exposure.combination
    named = [protocol.population.index_drug.codelist]
    named += [combination.codelist] if combination else []
    named += [
        sign.codelist
        for event in protocol.events.values()
        for sign in event.signs
        if sign.from_ == "drug" and sign.codelist
    ]
    return list(dict.fromkeys(named))


def death_source_rows(protocol: Protocol) -> list[tuple[str, int]]:
    """Kinds of source of a death with their rank: the first that is dated wins."""
    return [(kind, rank) for rank, kind in enumerate(protocol.deaths.order)]


def variation_rows(protocol: Protocol) -> list[tuple[str, str, str, str, str | None]]:
    """The sensitivity analyses: what each varies, of which persons, and what it leaves out."""
    varied = ((one, protocol.sensitivity[one.variation]) for one in varied_analyses(protocol))
    return [(*one, variation.persons, variation.leave_out) for one, variation in varied]


def subgroup_band_rows(protocol: Protocol) -> list[tuple[str, str, float | None, float | None]]:
    """Bands of the subgroups that are cut."""
    return [
        (name, *band)
        for name, subgroup in protocol.subgroups.items()
        if subgroup.cuts
        for band in bands(subgroup.cuts)
    ]
