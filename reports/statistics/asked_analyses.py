"""The rows that a protocol asks for, by analysis: written from docs/results.md, apart from what estimates them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from studies.protocol import Control, Endpoint, Incidence, Protocol, Refund, Response


class Asked(NamedTuple):
    """A row of one analysis: at a level, a statistic by a method."""

    level: str
    statistic: str
    method: str = ""


Rows = frozenset[Asked]
SHARE = ("n", "percent")
SUMMARY = ("n", "missing", "median", "min", "max", "mean", "sd", "q1", "q3")
SPREAD = ("median", "min", "max")
LIMITS = ("ci_low", "ci_high")
INTERVALS = ("clopper-pearson", "wilson", "wald")
GRADES = range(5)
DECISION = ("value", "threshold", "bound", "p", "met", "responders_short")
TEAE = ("any", "grade_3_plus", "serious", "related", "fatal", "led_to_discontinuation")
WEIGHTINGS = ("unweighted", "ate", "att", "overlap", "ate_trimmed", "att_trimmed", "overlap_trimmed")
CONTRASTS = {"difference": ("newcombe", "miettinen-nurminen"), "ratio": ("miettinen-nurminen", "katz-log")}


def group_analyses(protocol: Protocol) -> dict[str, Rows]:
    """What every group has."""
    asked = {"baseline.age": plain(SUMMARY), "baseline.sex": shares("male", "female", "other", "unknown")}
    baseline = protocol.baseline
    if baseline.age_at_diagnosis:
        asked["baseline.age_at_diagnosis"] = plain(SUMMARY)
    if baseline.prior_regimens is not None:
        asked["baseline.prior_regimens"] = plain(SUMMARY)
    if baseline.phenotype:
        asked["baseline.phenotype"] = shares(*baseline.phenotype, "unknown")
    if baseline.refractory is not None:
        asked["baseline.refractory"] = shares("yes", "no", "missing")
    if protocol.response is not None:
        asked |= _response(protocol.response)
    if "overall_survival" in protocol.endpoints:
        asked["overall_survival"] = _endpoint(protocol, protocol.endpoints["overall_survival"])
    return asked | {"death": _deaths(protocol)}


def site_analyses(protocol: Protocol) -> dict[str, Rows]:
    """What each site has beside, and everybody."""
    asked = {
        "attrition": at_levels(("known", "diagnosed", "treated"), ("n",)),
        "quality.resources": at_levels(
            ("landed", "mapped", "quarantined", "superseded", "not_asked_for"), ("n",)
        ),
    }
    if protocol.quality.fatal_rules:
        asked["quality.left_out"] = at_levels(protocol.quality.fatal_rules, ("n",))
    return asked


def overall_analyses(protocol: Protocol) -> dict[str, Rows]:
    """What only everybody together has."""
    asked = {
        "disposition": shares(*_flags(protocol)),
        "quality.imputed_dates": _imputed(protocol),
        "quality.contradictory_dates": _contradictory(protocol),
    }
    asked |= _exposure(protocol)
    if protocol.response is not None:
        asked["response.not_evaluable"] = at_levels(_reasons(protocol.response), ("n",))
        if protocol.response.investigator is not None:
            asked["response.agreement"] = plain(("n", "observed_percent", "kappa"))
    asked |= _times(protocol) | _comparisons(protocol) | _safety(protocol) | _decision(protocol)
    return asked | (_control(protocol.control, protocol) if protocol.control else {})


def plain(statistics: Iterable[str], method: str = "") -> Rows:
    """Statistics without a level."""
    return at_levels(("",), statistics, method)


def at_levels(levels: Iterable[str], statistics: Iterable[str], method: str = "") -> Rows:
    """The same statistics at each level."""
    named = tuple(statistics)
    return frozenset(Asked(level, statistic, method) for level in levels for statistic in named)


def shares(*levels: str) -> Rows:
    """Persons and percent at each level."""
    return at_levels(levels, SHARE)


def _response(rules: Response) -> dict[str, Rows]:
    proportion = plain(("n", "denominator")).union(
        *(plain(("percent", *LIMITS), method) for method in INTERVALS)
    )
    outcomes = {f"response.{outcome}": proportion for outcome in rules.outcomes}
    return {"response.best": shares(*rules.levels)} | outcomes


def _reasons(rules: Response) -> Iterator[str]:
    conditions = [c for criterion in rules.criteria for c in (*criterion.all, *criterion.any)]
    compared = {condition.variable for condition in conditions}
    of_baseline = {c.variable for c in conditions if c.at_most_of_baseline or c.at_least_of_baseline}
    unknown = {
        *rules.pair,
        *(name for name, finding in rules.findings.items() if finding.from_ == "observation"),
    }
    yield "no_assessment"
    yield from (f"{variable}_missing" for variable in (unknown & compared) - set(rules.meanings))
    yield from (f"baseline_{variable}_missing" for variable in of_baseline)


def _deaths(protocol: Protocol) -> Rows:
    deaths = protocol.deaths
    due = ["due_to_teae"] if protocol.safety else []
    after = [f"after_{deaths.after_event}"] if deaths.after_event else []
    return shares("all", *due, f"within_{deaths.early_days}_days", "later", *after)


def _flags(protocol: Protocol) -> Iterator[str]:
    yield from ("treated", "died")
    if protocol.baseline.completed_follow_up is not None:
        yield "completed_follow_up"
    if protocol.survival_by is not None:
        yield protocol.survival_by.event
    if protocol.exposure.combination is not None:
        yield "new_therapy"


def _imputed(protocol: Protocol) -> Rows:
    diagnosis = ["diagnosis"] if protocol.population.diagnosis else []
    onset = ["teae_onset"] if protocol.safety else []
    return at_levels(("birth", "death", *diagnosis, *onset), ("n",))


def _contradictory(protocol: Protocol) -> Rows:
    diagnosis = ["birth_after_diagnosis"] if protocol.population.diagnosis else []
    return at_levels(
        ("birth_after_treatment", *diagnosis, "death_before_treatment", "record_after_death"), ("n",)
    )


def _exposure(protocol: Protocol) -> dict[str, Rows]:
    asked = {
        "exposure.evidence": shares(*protocol.population.index_drug.evidence),
        "exposure.doses": plain(SPREAD),
        "exposure.days": plain(SPREAD),
    }
    if protocol.exposure.cycle_gap_days is not None:
        asked["exposure.cycles"] = plain(SPREAD)
    if protocol.exposure.combination is not None:
        asked["exposure.regimen"] = shares("combination", "monotherapy")
    return asked


def _times(protocol: Protocol) -> dict[str, Rows]:
    asked: dict[str, Rows] = {}
    for name, endpoint in protocol.endpoints.items():
        names = [name, *(f"{name}.{variant}" for variant in endpoint.variants)]
        asked |= dict.fromkeys(names, _endpoint(protocol, endpoint))
    for name, incidence in protocol.incidences.items():
        asked[f"{name}_incidence"] = _incidence(protocol, incidence)
    if "overall_survival" in protocol.endpoints:
        asked["follow_up"] = plain(("median", *LIMITS), _kaplan_meier(protocol))
    if protocol.survival_by is not None:
        asked |= _survival_by(protocol, protocol.survival_by.event, protocol.survival_by.landmarks)
    return asked


def _endpoint(protocol: Protocol, endpoint: Endpoint) -> Rows:
    asked = plain(("n", "events", "min", "max")) | plain(("median", *LIMITS), _kaplan_meier(protocol))
    if endpoint.population != "treated":
        return asked | (plain(("raw_median",)) if endpoint.censor else frozenset())
    return asked | _survival(protocol, _weeks(protocol.analyses.report_weeks))


def _survival(protocol: Protocol, levels: list[str]) -> Rows:
    curve = at_levels(levels, ("survival", *LIMITS), _kaplan_meier(protocol))
    return curve | at_levels(levels, ("at_risk",))


def _incidence(protocol: Protocol, incidence: Incidence) -> Rows:
    levels = _weeks(incidence.weeks or protocol.analyses.report_weeks)
    curve = at_levels(levels, ("incidence", *LIMITS), "aalen-johansen")
    return curve | at_levels(levels, ("at_risk",)) | plain(("n", "events", "competing"))


def _survival_by(protocol: Protocol, event: str, landmarks: list[int]) -> dict[str, Rows]:
    levels = ["naive", "time_dependent", *(f"landmark_{day}" for day in landmarks)]
    ratios = at_levels(levels, ("n", "events")) | at_levels(levels, ("hr", *LIMITS, "p"), "efron")
    weeks = [f"{side} {week}" for side in ("yes", "no") for week in _weeks(protocol.analyses.report_weeks)]
    return {
        f"survival_by_{event}": ratios | at_levels(("logrank_naive", "mantel_byar"), ("chi2", "p")),
        f"survival_by_{event}.simon_makuch": at_levels(("yes", "no"), ("n", "events"))
        | _survival(protocol, weeks),
    }


def _kaplan_meier(protocol: Protocol) -> str:
    return f"km {protocol.analyses.survival_interval}"


def _weeks(weeks: list[int]) -> list[str]:
    return [f"week_{week}" for week in weeks]


def _comparisons(protocol: Protocol) -> dict[str, Rows]:
    asked = {
        f"gray.{name}": plain(("n", "groups", "chi2", "df", "p"))
        for name, comparison in protocol.comparisons.items()
        if "gray" in comparison.methods
    }
    for name in protocol.comparators:
        contrasts = (
            at_levels((level,), ("estimate", *LIMITS), method)
            for level, methods in CONTRASTS.items()
            for method in methods
        )
        asked[f"comparator.{name}"] = at_levels(("study", "control"), ("n", "events", "percent")).union(
            at_levels(("difference",), ("p",), "fisher-exact"), *contrasts
        )
    return asked


def _control(rules: Control, protocol: Protocol) -> dict[str, Rows]:
    """Against control patients, by every weighting; the levels of a covariate are those that occur."""
    groups = ("study", "control")
    asked = {
        "control.persons": at_levels(groups, ("n", "complete", "analysed")),
        "control.missing": at_levels(rules.covariates, groups),
        "control.weights": frozenset[Asked]().union(
            *(at_levels(groups, ("effective_n",), method) for method in WEIGHTINGS)
        ),
    }
    for outcome in rules.outcomes:
        given = at_levels(WEIGHTINGS, (*LIMITS, "replicates"), "bootstrap")
        if outcome in protocol.endpoints:
            given |= at_levels(WEIGHTINGS, ("events",))
            given |= at_levels(WEIGHTINGS, ("hr", *LIMITS, "p"), "efron robust")
        else:
            given |= at_levels(WEIGHTINGS, (*groups, "difference"))
        asked[f"control.{outcome}"] = given
    return asked


def _safety(protocol: Protocol) -> dict[str, Rows]:
    safety = protocol.safety
    if safety is None:
        return {}
    rate = plain(("n", "events", "person_years")) | plain(("rate", *LIMITS), "garwood")
    asked = {"teae": at_levels(TEAE, (*SHARE, "events"))}
    asked |= dict.fromkeys((f"rate.{name}" for name in safety.rates), rate)
    if safety.laboratory is not None:
        terms = [test.term for test in safety.laboratory.tests]
        asked["lab.worst_grade"] = shares(*(f"{term} grade {grade}" for term in terms for grade in GRADES))
    return asked


def _decision(protocol: Protocol) -> dict[str, Rows]:
    if protocol.decision is None:
        return {}
    asked: Rows = frozenset()
    for threshold in protocol.decision.thresholds:
        refund = [] if threshold.refund is None else _refund(threshold.refund)
        asked |= at_levels((threshold.name,), (*DECISION, *refund))
    return {"decision": asked}


def _refund(rules: Refund) -> list[str]:
    inputs = {
        "share_of_spend": ["refund_spend", "refund_share"],
        "per_non_responder": ["refund_price", "refund_persons"],
        "tiered": ["refund_spend", "refund_shortfall", "refund_share"],
    }
    return ["refund", *inputs[rules.kind], *([] if rules.cap is None else ["refund_cap"])]
