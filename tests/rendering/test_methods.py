"""The methods section says each rule with the value that the protocol gives it, and no rule of a part that is off."""

from __future__ import annotations

import pytest

from reports.rendering.methods import method_rules
from studies.protocol import Protocol
from studies.reading import load_study
from tests.statistics_results.drawn_study import reference_protocol


def rules_of(protocol: Protocol) -> dict[str, str]:
    return {name: text for group in method_rules(protocol, "2020-06-30") for name, text in group.rules}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Diagnosed", "at most 30 days after the index date. A missing date counts"),
        ("Data cut-off", "2020-06-30. Nothing that happened after it counts"),
        ("Dates", "imputed at the middle of its period"),
        ("Cycle", "less than 7 days apart; a gap of 7 days or more starts the next"),
        ("Combination", "from 7 days before the first to 7 days after the last index dose"),
        ("New therapy", "more than 7 days after the last index dose"),
        ("Assessment", "before the first HSCT or new therapy"),
        ("Assessment", "from 7 days before to 7 days after it; of two as near, the later"),
        ("Transfused", "0 to 7 days before the date of platelet count"),
        ("CR (reference 1.0)", "marrow blasts < 5 %; blood blasts ≤ 0 %; extramedullary disease no"),
        ("CRp (reference 1.0)", "or transfused yes"),
        ("PR (reference 1.0)", "marrow blasts ≥ 5 % and ≤ 25 %; marrow blasts ≤ 0.5 of the baseline"),
        ("Deciding", "blood blasts is taken as 0 and extramedullary disease is taken as no"),
        ("Best response", "CR > CRp > PR > NR > NE"),
        ("Relapse", "marrow blasts ≥ 25 %; extramedullary disease yes; disease relapse yes; a diagnosis"),
        (
            "Failure",
            "No remission by day 84 after the index date: on that day, when a contact or the death is on or after it",
        ),
        (
            "Event-free survival",
            "censored at last disease assessment for those with remission, else last contact",
        ),
        ("Duration of remission", "variant at HSCT: follow-up ends at HSCT too"),
        ("Incidence: HSCT", "competing: death; censored at last contact"),
        ("Class of a death", "after HSCT, on or after the index date; else within 30 days"),
        ("Treatment-emergent", "at most 30 days after the last. A missing onset counts"),
        ("Laboratory grades", "CTCAE 5.0"),
        ("Laboratory grades", "haemoglobin ≥ 120 g/L"),
        ("Proportions", "Clopper-Pearson limits"),
        ("Survival by HSCT", "landmarks at days 30, 60 and 90"),
        ("Thresholds", "at most 0.025"),
        ("Disclosure", "counts from 1 to 4"),
    ],
)
def test_a_rule_of_the_reference_study_is_said(name: str, said: str) -> None:
    assert said in rules_of(reference_protocol())[name]


def test_a_changed_protocol_changes_what_is_said() -> None:
    protocol = reference_protocol()
    assert protocol.safety is not None
    safety = protocol.safety.model_copy(update={"days_after_last_dose": 45})
    assert (
        "at most 45 days after the last"
        in rules_of(protocol.model_copy(update={"safety": safety}))["Treatment-emergent"]
    )


def test_a_variation_is_said_with_its_reason_and_each_key_that_it_changes() -> None:
    said = rules_of(load_study("clofarabine").protocol)
    assert said["At HSCT"] == (
        "What follows a transplant may be its doing; here follow-up ends at it. "
        'endpoints.duration_of_remission.ends_at: ["hsct"]. endpoints.overall_survival.ends_at: ["hsct"]. '
        'endpoints.event_free_survival.ends_at: ["hsct"]. '
        "Given again: Duration of remission; Overall survival; Event-free survival."
    )


def test_a_study_without_response_or_safety_says_nothing_of_them() -> None:
    rules = rules_of(load_study("mimic_vancomycin").protocol)
    absent = (
        "Assessment",
        "Relapse",
        "Treatment-emergent",
        "Diagnosed",
        "Cycle",
        "Proportions",
        "Thresholds",
    )
    assert not rules.keys() & set(absent)
    assert "Incidence: Ventilation" in rules


def test_no_rule_has_two_texts() -> None:
    groups = method_rules(reference_protocol(), "2020-06-30")
    names = [name for group in groups for name, _ in group.rules]
    assert len(names) == len(set(names))
