"""The order in which a reader expects levels; results.csv sorts them by name."""

from __future__ import annotations

from collections.abc import Sequence

from studies.protocol import Protocol

DECLARED = {
    "attrition": ["known", "diagnosed", "treated"],
    "disposition": ["treated", "completed_follow_up", "died", "new_therapy"],
    "baseline.sex": ["male", "female", "other", "unknown"],
    "baseline.refractory": ["yes", "no", "missing"],
    "exposure.regimen": ["combination", "monotherapy"],
    "teae": ["any", "grade_3_plus", "serious", "related", "fatal", "led_to_discontinuation"],
    "quality.resources": ["landed", "mapped", "quarantined", "superseded", "not_asked_for"],
    "quality.imputed_dates": ["birth", "diagnosis", "teae_onset", "death"],
    "quality.contradictory_dates": [
        "birth_after_treatment",
        "birth_after_diagnosis",
        "death_before_treatment",
        "record_after_death",
    ],
}


def in_order(analysis: str, levels: Sequence[str], protocol: Protocol) -> list[str]:
    """The levels as a reader expects them; one that is not foreseen comes last, numbers ascend."""
    declared = declared_levels(analysis, protocol)
    rank = {level: position for position, level in enumerate(declared)}
    return sorted(levels, key=lambda level: (rank.get(level, len(declared)), _number(level), level))


def declared_levels(analysis: str, protocol: Protocol) -> list[str]:
    """The levels that docs/results.md or the protocol name, in their order."""
    response = protocol.response
    if analysis == "response.best" and response is not None:
        return response.levels
    if analysis == "response.not_evaluable" and response is not None:
        variables = [*response.pair, f"baseline_{response.assessment.variable}", *response.findings]
        return ["no_assessment", *(f"{name}_missing" for name in variables)]
    if analysis == "baseline.phenotype":
        return [*protocol.baseline.phenotype, "unknown"]
    if analysis == "exposure.evidence":
        return list(protocol.population.index_drug.evidence)
    if analysis == "death":
        early = f"within_{protocol.deaths.early_days}_days"
        return ["all", "due_to_teae", early, "later", f"after_{protocol.deaths.after_event}"]
    if analysis == "disposition" and protocol.survival_by is not None:
        return ["treated", "completed_follow_up", protocol.survival_by.event, "died", "new_therapy"]
    if analysis == "quality.left_out":
        return list(protocol.quality.fatal_rules)
    if analysis == "decision" and protocol.decision is not None:
        return [threshold.name for threshold in protocol.decision.thresholds]
    if analysis.startswith("survival_by_"):
        landmarks = (
            [f"landmark_{day}" for day in protocol.survival_by.landmarks] if protocol.survival_by else []
        )
        return ["naive", *landmarks, "time_dependent", "mantel_byar", "logrank_naive"]
    return DECLARED.get(analysis, [])


def groups_in_order(groups: Sequence[str]) -> list[str]:
    """Groups by name, but yes before no, and what is missing or unknown last."""
    rank = {"yes": 0, "no": 1, "unknown": 3, "missing": 4}
    return sorted(groups, key=lambda group: (rank.get(group.partition("=")[2], 2), _number(group), group))


def _number(name: str) -> int:
    digits = "".join(character if character.isdecimal() else " " for character in name).split()
    return int(digits[-1]) if digits else 0
