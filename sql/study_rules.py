"""The rows of the protocol tables: what a protocol says, put flat. No value of a study stands here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from studies.bands import bands
from studies.protocol import Condition, Protocol, Response
from studies.varied_analyses import varied_analyses

# Kinds of comparison, in the words of the protocol.
COMPARISONS = ("above", "at_least", "below", "at_most", "at_most_of_baseline")
# Responses that no criterion gives: none of them holds, or one can't be decided.
NOT_RESPONDING, NOT_EVALUABLE = "NR", "NE"

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
    transfusion = response.transfusion if response else None
    return {
        "certain_remission": ("BOOLEAN", response.certain_remission if response else None),
        "response_primary": ("VARCHAR", response.primary if response else None),
        "investigator_codelist": ("VARCHAR", response.investigator if response else None),
        "assessment_codelist": ("VARCHAR", response.assessment if response else None),
        "pair_days_before": ("INTEGER", response.pair_days_before if response else None),
        "pair_days_after": ("INTEGER", response.pair_days_after if response else None),
        "extramedullary_codelist": ("VARCHAR", response.extramedullary if response else None),
        "transfusion_codelist": ("VARCHAR", transfusion.codelist if transfusion else None),
        "transfusion_days_before": ("INTEGER", transfusion.days_before if transfusion else None),
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


def response_levels(response: Response) -> list[tuple[str, int, bool, bool]]:
    """Responses from the best to the worst, with whether each is a remission and an overall response."""
    names = [criterion.response for criterion in response.criteria]
    levels = dict.fromkeys([*names, NOT_RESPONDING, NOT_EVALUABLE])
    return [(name, n, name in response.remission, name in response.overall) for n, name in enumerate(levels)]


def outcome_rows(response: Response) -> list[tuple[str, str]]:
    """The responses of each outcome."""
    return [(outcome, level) for outcome, levels in response.outcomes.items() for level in levels]


def condition_rows(
    response: Response,
) -> list[tuple[int, str, str, int, str, str, float | None, bool | None]]:
    """Every comparison of the criteria; those of one condition hold together."""
    return [
        (number, criterion.response, part, position, condition.variable, comparison, bound, expected)
        for number, criterion in enumerate(response.criteria)
        for part, conditions in (("all", criterion.all), ("any", criterion.any))
        for position, condition in enumerate(conditions)
        for comparison, bound, expected in _comparisons(condition)
    ]


def _comparisons(condition: Condition) -> Iterator[tuple[str, float | None, bool | None]]:
    if condition.equals is not None:
        yield "equals", None, condition.equals
    for comparison in COMPARISONS:
        bound = getattr(condition, comparison)
        if bound is not None:
            yield comparison, bound, None


def criterion_probes(response: Response) -> list[tuple[str, float | None, bool | None]]:
    """For each variable, one value of every range between the criteria's bounds, and the bounds themselves.

    Whatever a missing value was, the criteria decide as they do for one of these.
    """
    bounds: dict[str, set[float]] = {}
    flags: set[str] = set()
    for *_, variable, comparison, bound, expected in condition_rows(response):
        if expected is not None:
            flags.add(variable)
        elif bound is not None and comparison != "at_most_of_baseline":
            bounds.setdefault(variable, set()).add(bound)
    numbers = [(v, number, None) for v, found in sorted(bounds.items()) for number in _cells(sorted(found))]
    return [*numbers, *((v, None, truth) for v in sorted(flags) for truth in (False, True))]


def _cells(bounds: list[float]) -> list[float]:
    between = [(low + high) / 2 for low, high in pairwise(bounds)]
    return sorted({*bounds, *between, bounds[0] - 1, bounds[-1] + 1})


def missing_reasons(response: Response) -> list[tuple[str, bool, str, int]]:
    """Names of what an undecided criterion lacks, in order: pairs, the baseline, the rest.

    What means none where it is missing can only be undecided by its value, so it comes with the rest.
    """
    needed = [variable for variable in response.pair if variable not in response.missing_means_none]
    others = [variable for variable in response.pair if variable not in needed]
    pairs = [(variable, False, f"{variable}_missing") for variable in needed]
    baseline = [(response.assessment, True, "baseline_marrow_missing")]
    rest = [*others, "extramedullary", response.assessment]
    reasons = [*pairs, *baseline, *((variable, False, f"{variable}_missing") for variable in rest)]
    return [(*reason, rank) for rank, reason in enumerate(reasons)]


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
