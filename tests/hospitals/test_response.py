"""Response, relapse, and what ends follow-up. Expected by hand from docs/clinical-rules.md."""

from __future__ import annotations

from pathlib import Path

from tests.hospitals.builder import (
    EDI,
    ETOPOSIDE,
    ICD10,
    LOINC,
    MARROW,
    PLATELETS,
    Resource,
    anc,
    assessed_as,
    blood,
    complete,
    concept,
    counts,
    day,
    done,
    given,
    item,
    leukaemia,
    marrow,
    measured,
    observed,
    person,
    platelets,
    run,
    transfusion,
    transplant,
    treated,
    visit,
)

BEFORE = [marrow(-1, 40)]


def blood_count(on: int, white: float, thrombocytes: float) -> Resource:
    """A Korean blood count: one Observation with components."""
    unit = {"unit": "10*3/uL"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(EDI, "D0002"),
        "effectiveDateTime": day(on),
        "component": [
            {"code": concept(EDI, "D0002010"), "valueQuantity": {"value": white, **unit}},
            {"code": concept(EDI, "D0002070"), "valueQuantity": {"value": thrombocytes, **unit}},
        ],
    }


def outside(on: int, is_there: bool) -> Resource:
    return item(on, "extramedullary-disease", valueBoolean=is_there)


# records of a person treated on day 0 → (best response, reason)
RESPONSES: dict[str, tuple[list[Resource], tuple[str, str | None]]] = {
    "cr": (complete(30), ("CR", None)),
    "cr-bounds": ([marrow(30, 4.999), anc(30, 1.0), platelets(30, 100), blood(30, 0)], ("CR", None)),
    "cr-fraction": ([marrow(30, 0.0499, "1"), *counts(30)], ("CR", None)),
    "pr-fraction-5": ([*BEFORE, marrow(30, 0.05, "1"), *counts(30)], ("PR", None)),
    "cr-per-ul": ([marrow(30, 2), anc(30, 1000, "/uL"), platelets(30, 100000, "/uL")], ("CR", None)),
    "cr-k": ([marrow(30, 2), anc(30, 1, "K/uL"), platelets(30, 100, "K/uL")], ("CR", None)),
    "cr-mm3": ([marrow(30, 2), anc(30, 1000, "/mm3"), platelets(30, 100, "10*3/uL")], ("CR", None)),
    "cr-x10": ([marrow(30, 2), anc(30, 1, "x10^9/L"), platelets(30, 100, "x10^9/L")], ("CR", None)),
    "cr-no-unit": ([marrow(30, 2, None), anc(30, 1, None), platelets(30, 100, None)], ("CR", None)),
    "cr-strings": (
        [
            observed(30, LOINC, MARROW, valueString="2"),
            observed(30, LOINC, PLATELETS, valueString="120"),
            observed(30, LOINC, "26499-4", valueString=" 1.5 "),
        ],
        ("CR", None),
    ),
    "cr-integer": (
        [
            observed(30, LOINC, MARROW, valueInteger=2),
            observed(30, LOINC, PLATELETS, valueInteger=120),
            observed(30, LOINC, "753-4", valueInteger=2),
        ],
        ("CR", None),
    ),
    "cr-component": ([marrow(30, 2), anc(30, 2), blood_count(30, 5, 130)], ("CR", None)),
    "crp-component": ([marrow(30, 2), anc(30, 2), blood_count(30, 5, 99)], ("CRp", None)),
    "other-unit": ([marrow(30, 2), anc(30, 2), platelets(30, 100, "mmol/L")], ("NE", "platelets_missing")),
    "crp-99": ([marrow(30, 2), anc(30, 1), platelets(30, 99.9)], ("CRp", None)),
    "crp-99999": ([marrow(30, 2), anc(30, 1), platelets(30, 99999, "/uL")], ("CRp", None)),
    "crp-same-day": ([*complete(30), transfusion(30)], ("CRp", None)),
    "crp-7": ([*complete(30), transfusion(23)], ("CRp", None)),
    "cr-8": ([*complete(30), transfusion(22)], ("CR", None)),
    "cr-after": ([*complete(30), transfusion(31)], ("CR", None)),
    "cr-not-done": ([*complete(30), transfusion(30, status="not-done")], ("CR", None)),
    "cr-preparation": ([*complete(30), transfusion(30, status="preparation")], ("CR", None)),
    # The window runs back from the count, on day 35.
    "cr-count-later": ([marrow(30, 2), *counts(35), transfusion(27)], ("CR", None)),
    "crp-count-later": ([marrow(30, 2), *counts(35), transfusion(28)], ("CRp", None)),
    "crp-transfused": ([marrow(30, 2), anc(30, 2), transfusion(30)], ("CRp", None)),
    "pr-5": ([*BEFORE, marrow(30, 5.0), *counts(30)], ("PR", None)),
    "pr-20": ([*BEFORE, marrow(30, 20), *counts(30)], ("PR", None)),
    "pr-no-platelets": ([*BEFORE, marrow(30, 10), anc(30, 2)], ("PR", None)),
    "nr-20.1": ([*BEFORE, marrow(30, 20.1), *counts(30)], ("NR", None)),
    "pr-25": ([marrow(-1, 50), marrow(30, 25), *counts(30)], ("PR", None)),
    "nr-25.1": ([marrow(-1, 90), marrow(30, 25.1), *counts(30)], ("NR", None)),
    "pr-thirds": ([marrow(-1, 0.14, "1"), marrow(30, 0.07, "1"), *counts(30)], ("PR", None)),
    "ne-no-baseline": ([marrow(30, 10), *counts(30)], ("NE", "baseline_marrow_missing")),
    "ne-no-anc": ([marrow(30, 2), platelets(30, 150)], ("NE", "anc_missing")),
    "ne-no-anc-2": ([marrow(30, 10)], ("NE", "anc_missing")),
    "ne-no-platelets": ([marrow(30, 2), anc(30, 2)], ("NE", "platelets_missing")),
    "ne-both": ([marrow(30, 2)], ("NE", "anc_missing")),
    "nr-60": ([marrow(30, 60)], ("NR", None)),
    "nr-low-anc": ([marrow(30, 2), anc(30, 0.99), platelets(30, 150)], ("NR", None)),
    "nr-low-anc-only": ([marrow(30, 2), anc(30, 0.99)], ("NR", None)),
    "nr-999": ([marrow(30, 2), anc(30, 999, "/uL"), platelets(30, 150)], ("NR", None)),
    "nr-blood": ([*complete(30), blood(30, 1)], ("NR", None)),
    "nr-lymphoblasts": ([*complete(30), measured(30, "34922-5", 3, "%")], ("NR", None)),
    "cr-blood-early": ([*complete(30), blood(22, 1)], ("CR", None)),
    "nr-blood-7": ([*complete(30), blood(23, 1)], ("NR", None)),
    "nr-outside": ([*complete(30), outside(-50, True)], ("NR", None)),
    "cr-outside-gone": ([*complete(30), outside(-50, True), outside(20, False)], ("CR", None)),
    "cr-outside-later": ([*complete(30), outside(31, True)], ("CR", None)),
    "nr-outside-same": ([*complete(30), outside(30, True)], ("NR", None)),
    "ne-none": ([], ("NE", "no_assessment")),
    "ne-day-0": ([marrow(0, 2), *counts(0)], ("NE", "no_assessment")),
    "cr-day-1": (complete(1), ("CR", None)),
    "ne-status": ([marrow(30, 2, status="entered-in-error"), *counts(30)], ("NE", "no_assessment")),
    "ne-cancelled": ([marrow(30, 2, status="cancelled"), *counts(30)], ("NE", "no_assessment")),
    "cr-preliminary": ([marrow(30, 2, status="preliminary"), *counts(30)], ("CR", None)),
    "ne-absent": (
        [observed(30, LOINC, MARROW, dataAbsentReason=concept("urn:x", "unknown"))],
        ("NE", "no_assessment"),
    ),
    "ne-text": ([observed(30, LOINC, MARROW, valueString="hypocellular")], ("NE", "no_assessment")),
    "cr-below-5": (
        [marrow(30, 5, comparator="<"), anc(30, 1, comparator=">="), platelets(30, 100, comparator=">")],
        ("CR", None),
    ),
    "cr-less-than-5": ([observed(30, LOINC, MARROW, valueString="less than 5"), *counts(30)], ("CR", None)),
    "ne-below-10": ([*BEFORE, marrow(30, 10, comparator="<"), *counts(30)], ("NE", "marrow_missing")),
    "nr-above-30": ([marrow(30, 30, comparator=">")], ("NR", None)),
    "nr-anc-below": ([marrow(30, 2), anc(30, 0.5, comparator="<"), platelets(30, 150)], ("NR", None)),
    "ne-platelets-below": (
        [marrow(30, 2), anc(30, 2), platelets(30, 150, comparator="<")],
        ("NE", "platelets_missing"),
    ),
    "crp-platelets-below": ([marrow(30, 2), anc(30, 2), platelets(30, 20, comparator="<")], ("CRp", None)),
    "ne-blood-below": ([*complete(30), blood(30, 1, comparator="<")], ("NE", "blood_blasts_missing")),
    "ne-blood-and-baseline": (
        [marrow(30, 10), *counts(30), blood(30, 1, comparator="<")],
        ("NE", "baseline_marrow_missing"),
    ),
    # Pairing: nearest of whole days; of two as near the later; at one time the higher, then the later id.
    "pair-7": ([marrow(30, 2), anc(37, 2), platelets(23, 150)], ("CR", None)),
    "pair-8": ([marrow(30, 2), anc(38, 2), platelets(23, 150)], ("NE", "anc_missing")),
    "pair-near": ([marrow(30, 2), anc(29, 2), anc(32, 0.1), platelets(30, 150)], ("CR", None)),
    "pair-tie": ([marrow(30, 2), anc(28, 0.1), anc(32, 2), platelets(30, 150)], ("CR", None)),
    "pair-tie-2": ([marrow(30, 2), anc(28, 2), anc(32, 0.1), platelets(30, 150)], ("NR", None)),
    "pair-higher": ([marrow(30, 2), anc(30, 0.1), anc(30, 2), platelets(30, 150)], ("CR", None)),
    "higher-marrow": ([marrow(30, 2), marrow(30, 60), *counts(30)], ("NR", None)),
    "two-times": (
        [marrow(day(30, "T08:00:00Z"), 60), marrow(day(30, "T09:00:00Z"), 2), *counts(30)],
        ("CR", None),
    ),
    "local-day": (
        [marrow(day(30, "T23:30:00+09:00"), 2), anc(day(37, "T01:00:00+09:00"), 2), platelets(30, 150)],
        ("CR", None),
    ),
    # What ends the assessments.
    "hsct-same": ([*complete(30), transplant(30)], ("NE", "no_assessment")),
    "hsct-later": ([*complete(30), transplant(31)], ("CR", None)),
    "hsct-before": ([*complete(30), transplant(-31)], ("CR", None)),
    "hsct-index": ([*complete(30), transplant(0)], ("NE", "no_assessment")),
    "hsct-not-done": ([*complete(30), transplant(20, status="not-done")], ("CR", None)),
    "hsct-other-organ": ([*complete(30), done(20, "77465005")], ("CR", None)),
    "therapy-same": ([*complete(30), given(30, ETOPOSIDE)], ("NE", "no_assessment")),
    "therapy-later": ([*complete(30), given(31, ETOPOSIDE)], ("CR", None)),
    "therapy-combined": ([*complete(30), given(7, ETOPOSIDE)], ("CR", None)),
    "best-of": ([*BEFORE, marrow(15, 60), marrow(30, 10), *counts(30), *complete(60)], ("CR", None)),
    "nr-over-ne": ([marrow(15, 60), marrow(30, 2)], ("NR", None)),
    "ne-last": ([marrow(15, 2), marrow(30, 2), anc(30, 2)], ("NE", "platelets_missing")),
    "after-cut-off": ([marrow(900, 2), *counts(900)], ("NE", "no_assessment")),
}


def test_best_response_is_that_of_the_criteria_at_each_of_their_bounds(tmp_path: Path) -> None:
    people = [one for name, (records, _) in RESPONSES.items() for one in treated(name, *records)]
    outcome = run(tmp_path, cutoff=day(800), a=people)
    found = outcome.each("response", "best_response, not_evaluable_reason")
    assert found == {name: expected for name, (_, expected) in RESPONSES.items()}
    best = [response for _, (response, _) in RESPONSES.values()]
    assert outcome.counts("response.best") == {one: best.count(one) for one in set(best)}
    assert outcome.value("response.remission", "n") == best.count("CR") + best.count("CRp")
    assert outcome.value("response.overall", "n") == sum(one in ("CR", "CRp", "PR") for one in best)
    assert outcome.value("response.overall", "denominator") == len(best)
    reasons = [reason for _, (_, reason) in RESPONSES.values() if reason]
    assert outcome.counts("response.not_evaluable") == {one: reasons.count(one) for one in set(reasons)}


# records of a person → (derived, investigator's)
AGREEMENTS = {
    "both-cr": ([*complete(30), assessed_as(30, "CR")], ("CR", "CR")),
    "crp-for-cr": ([*complete(30), assessed_as(40, "CRp")], ("CR", "CRp")),
    "best-item": ([*complete(30), assessed_as(20, "NR"), assessed_as(40, "CR")], ("CR", "CR")),
    "ne": ([assessed_as(30, "NE")], ("NE", "NE")),
    "nr": ([marrow(30, 60), assessed_as(30, "NR")], ("NR", "NR")),
    "on-index": ([*complete(30), assessed_as(0, "CR")], ("CR", None)),
    "after-cut-off": ([*complete(30), assessed_as(900, "CR")], ("CR", None)),
    "none": (complete(30), ("CR", None)),
}


def test_the_investigators_response_is_kept_beside_the_derived_one(tmp_path: Path) -> None:
    people = [one for name, (records, _) in AGREEMENTS.items() for one in treated(name, *records)]
    outcome = run(tmp_path, cutoff=day(800), a=people)
    found = outcome.each("response", "derived_response, investigator_response")
    assert found == {name: expected for name, (_, expected) in AGREEMENTS.items()}
    assert outcome.value("response.agreement", "n") == 5
    assert outcome.value("response.agreement", "observed_percent") == 80
    # Pairs: CR-CR twice, CR-CRp, NE-NE, NR-NR. Chance: (3*2 + 0*1 + 1*1 + 1*1) / 25 = 0.32.
    kappa = outcome.value("response.agreement", "kappa")
    assert kappa is not None and abs(kappa - (0.8 - 0.32) / (1 - 0.32)) < 1e-12


STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CR = complete(30)

# records of a person with a remission on day 30 → days from it, 1 where it ended by an event
REMISSIONS: dict[str, tuple[list[Resource], tuple[int, int]]] = {
    "censored": ([*CR, *complete(60), visit(100)], (30, 0)),
    "only-one": (CR, (0, 0)),
    "not-evaluable-later": ([*CR, marrow(80, 2)], (50, 0)),
    "marrow-25": ([*CR, marrow(60, 25)], (30, 1)),
    "marrow-24.9": ([*CR, marrow(60, 24.9)], (30, 0)),
    "same-day": ([*CR, marrow(day(30, "T23:00:00Z"), 50)], (0, 0)),
    "earliest": ([*CR, marrow(60, 25), marrow(50, 30)], (20, 1)),
    "before-remission": ([marrow(20, 80), *CR], (0, 0)),
    "outside": ([*CR, outside(45, True)], (15, 1)),
    "outside-not": ([*CR, outside(45, False)], (0, 0)),
    "item": ([*CR, item(44, "disease-relapse", valueBoolean=True)], (14, 1)),
    "item-not": ([*CR, item(44, "disease-relapse", valueBoolean=False)], (0, 0)),
    "item-same-day": ([*CR, item(30, "disease-relapse", valueBoolean=True)], (0, 0)),
    "diagnosis": ([*CR, leukaemia(43, clinicalStatus=concept(STATUS, "relapse"))], (13, 1)),
    "recurrence": ([*CR, leukaemia(43, clinicalStatus=concept(STATUS, "recurrence"))], (13, 1)),
    "active": ([*CR, leukaemia(43, clinicalStatus=concept(STATUS, "active"))], (0, 0)),
    "recorded": (
        [*CR, leukaemia(None, recordedDate=day(42), clinicalStatus=concept(STATUS, "relapse"))],
        (12, 1),
    ),
    "onset-wins": (
        [*CR, leukaemia(-300, recordedDate=day(42), clinicalStatus=concept(STATUS, "relapse"))],
        (0, 0),
    ),
    "coded": (
        [*CR, leukaemia(41, code=concept("http://hl7.org/fhir/sid/icd-10-cm", "C91.02"))],
        (11, 1),
    ),
    "refuted": (
        [
            *CR,
            leukaemia(
                41,
                clinicalStatus=concept(STATUS, "relapse"),
                verificationStatus=concept(
                    "http://terminology.hl7.org/CodeSystem/condition-ver-status", "refuted"
                ),
            ),
        ],
        (0, 0),
    ),
    "above-20": ([*CR, marrow(60, 20, comparator=">")], (30, 0)),
    "above-25": ([*CR, marrow(60, 25, comparator=">")], (30, 1)),
    "after-cut-off": ([*CR, marrow(900, 60)], (0, 0)),
    # A transplant or a new therapy doesn't end the disease assessments.
    "transplant": ([*CR, transplant(40), marrow(90, 2)], (60, 0)),
    "relapse-after-transplant": ([*CR, transplant(40), marrow(90, 70)], (60, 1)),
    "therapy": ([*CR, given(38, ETOPOSIDE), marrow(95, 2)], (65, 0)),
}
# The same with a variant that ends at the transplant, or at the new therapy.
VARIANTS = {
    "duration_of_remission.at_hsct": {"transplant": (10, 0), "relapse-after-transplant": (10, 0)},
    "duration_of_remission.at_new_therapy": {"therapy": (8, 0)},
}


def test_remission_lasts_to_relapse_or_the_last_disease_assessment(tmp_path: Path) -> None:
    people = [one for name, (records, _) in REMISSIONS.items() for one in treated(name, *records)]
    dead = treated("dead", *CR, visit(50), deceasedDateTime=day(77))
    on_the_day = treated("on-the-day", *CR, deceasedDateTime=day(30))
    outcome = run(tmp_path, cutoff=day(800), a=people + dead + on_the_day)
    expected = {name: wanted for name, (_, wanted) in REMISSIONS.items()} | {
        "dead": (47, 1),
        "on-the-day": (0, 1),
    }
    assert outcome.each("endpoint", "days, status", "endpoint = 'duration_of_remission'") == expected
    for name, changed in VARIANTS.items():
        assert outcome.each("endpoint", "days, status", f"endpoint = '{name}'") == expected | changed
    assert outcome.value("duration_of_remission", "n") == len(expected)
    assert outcome.value("duration_of_remission", "events") == sum(event for _, event in expected.values())
    assert outcome.value("duration_of_remission", "max") == 65 / 7
    assert outcome.value("duration_of_remission", "min") == 0
    assert (
        outcome.value("duration_of_remission.at_hsct", "events") == sum(e for _, e in expected.values()) - 1
    )
    assert outcome.value("time_to_remission", "median", method="km log-log") == 30 / 7
    assert outcome.value("time_to_remission", "events") == len(expected)


# records of a person → days to failure, relapse or death, 1 where it ended by one of them
EVENT_FREE: dict[str, tuple[list[Resource], tuple[int, int]]] = {
    "failure": ([visit(84)], (84, 1)),
    "failure-later": ([visit(200)], (84, 1)),
    "followed-to-83": ([visit(83)], (83, 0)),
    "remission-84": ([*complete(84), visit(200)], (84, 0)),
    "remission-85": ([*complete(85), visit(200)], (84, 1)),
    "remission": ([*complete(30), *complete(120), visit(300)], (120, 0)),
    "relapse": ([*complete(30), marrow(60, 30), visit(300)], (60, 1)),
    "no-contact": ([], (0, 0)),
}


def test_event_free_survival_fails_on_day_84_without_remission(tmp_path: Path) -> None:
    people = [one for name, (records, _) in EVENT_FREE.items() for one in treated(name, *records)]
    dead = treated("dead-83", deceasedDateTime=day(83)) + treated("dead-84", deceasedDateTime=day(84))
    late = treated("dead-200", visit(20), deceasedDateTime=day(200))
    outcome = run(tmp_path, a=people + dead + late)
    expected = {name: wanted for name, (_, wanted) in EVENT_FREE.items()} | {
        "dead-83": (83, 1),
        "dead-84": (84, 1),
        "dead-200": (84, 1),
    }
    assert outcome.each("endpoint", "days, status", "endpoint = 'event_free_survival'") == expected
    assert outcome.value("event_free_survival", "events") == sum(event for _, event in expected.values())
    assert outcome.value("event_free_survival", "n") == len(expected)
    assert outcome.value("event_free_survival", "at_risk", "week_12") == 7


def test_a_competing_death_is_never_censored(tmp_path: Path) -> None:
    """Aalen-Johansen by hand: 5 at risk; CR day 10; death day 20; transplant day 30; one followed to day 400."""
    people = [
        *treated("cr", *complete(10), visit(400)),
        *treated("dead", deceasedDateTime=day(20)),
        *treated("hsct", transplant(30), visit(400)),
        *treated("same-day", transplant(40), deceasedDateTime=day(40)),
        *treated("long", visit(400)),
        # What began before the index date isn't counted, and leaves the person at risk.
        *treated("earlier", transplant(-60), visit(400)),
    ]
    outcome = run(tmp_path, a=people)
    remission, hsct = "remission_incidence", "hsct_incidence"
    assert outcome.each("endpoint", "days, status", f"endpoint = '{remission}'") == {
        "cr": (10, 1), "dead": (20, 2), "hsct": (400, 0), "same-day": (40, 2), "long": (400, 0), "earlier": (400, 0),
    }  # fmt: skip
    assert outcome.each("endpoint", "days, status", f"endpoint = '{hsct}'") == {
        "cr": (400, 0), "dead": (20, 2), "hsct": (30, 1), "same-day": (40, 1), "long": (400, 0), "earlier": (400, 0),
    }  # fmt: skip
    for week, shares in {4: (1 / 6, 0), 8: (1 / 6, 2 / 6), 52: (1 / 6, 2 / 6)}.items():
        for name, share in zip((remission, hsct), shares, strict=True):
            found = outcome.value(name, "incidence", f"week_{week}", method="aalen-johansen")
            assert found is not None and abs(found - share) < 1e-12
    assert outcome.value(hsct, "incidence", "week_104", method="aalen-johansen") is None
    assert outcome.value("disposition", "n", "hsct") == 2
    assert outcome.counts("death") == {"all": 2, "after_hsct": 1, "within_30_days": 1}


def test_a_disease_coded_in_relapse_before_the_remission_is_no_relapse(tmp_path: Path) -> None:
    coded = concept("http://hl7.org/fhir/sid/icd-10-cm", "C91.02")
    outcome = run(
        tmp_path,
        a=person(
            "p", leukaemia(-10, code=coded), leukaemia(None, code=concept(ICD10, "C91.0")), given(), *CR
        ),
    )
    assert outcome.each("endpoint", "days, status", "endpoint = 'duration_of_remission'") == {"p": (0, 0)}
