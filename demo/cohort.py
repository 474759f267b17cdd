"""The simulated histories: sixty treated persons by the plan, and those who leave the study earlier."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from demo.assessments import Assessment, plan_assessments
from demo.history import Death, Diagnosis, Dose, History, Intervention, Measurement, Stay, StudyItem
from demo.laboratory import measure, value
from demo.leavers import leaving_histories
from demo.plan import DAYS_OF_A_CYCLE, Plan, read_plans
from demo.reactions import cause_of_death, plan_reactions

FIRST_YEAR = date(2014, 2, 3)
DAYS_OF_RECRUITMENT = 1600
PARTNERS = (("etoposide", "cyclophosphamide"), ("cytarabine",), ("etoposide",))
NEW_THERAPY = {"B-cell": "blinatumomab", "T-cell": "nelarabine", "unknown": "fludarabine"}

Day = Callable[[int], date]


def simulated_histories(seed: int = 2021) -> list[History]:
    """The histories of all persons of all hospitals; the same for the same seed."""
    treated = [_treated(plan, Random(f"{seed}/{plan.person}")) for plan in read_plans()]
    return [*treated, *leaving_histories(seed, first_person=len(treated) + 1)]


def _treated(plan: Plan, rng: Random) -> History:
    index = FIRST_YEAR + timedelta(days=rng.randrange(DAYS_OF_RECRUITMENT))

    def on(day: int) -> date:
        return index + timedelta(days=day)

    assessments = plan_assessments(plan, rng)
    measurements = measure(plan, assessments, on, rng)
    return History(
        person=plan.person,
        hospital=plan.hospital,
        sex=plan.sex,
        birth=_birth(plan, index, rng),
        diagnoses=tuple(_diagnoses(plan, on, rng)),
        doses=tuple(_doses(plan, on)),
        measurements=(*measurements, *_mistaken(plan, on)),
        items=tuple(_items(plan, assessments, on)),
        interventions=tuple(_interventions(plan, assessments, on)),
        reactions=tuple(plan_reactions(plan, on, rng)),
        stays=tuple(_stays(plan, assessments, on)),
        death=_death(plan, on),
    )


def _birth(plan: Plan, index: date, rng: Random) -> str:
    """A birth date that gives the planned age; a few are known to the month or the year only."""
    if plan.person % 20 == 7:
        # A year alone is imputed as 1 July.
        return str(index.year - plan.age - (0 if index >= date(index.year, 7, 1) else 1))
    birthday = index - timedelta(days=rng.randrange(40, 320))
    born = date(birthday.year - plan.age, birthday.month, min(birthday.day, 28))
    return born.isoformat()[:7] if plan.person % 20 == 13 else born.isoformat()


def _diagnoses(plan: Plan, on: Day, rng: Random) -> list[Diagnosis]:
    years = plan.age - plan.age_at_diagnosis
    onset = on(-round(365.25 * years) + 35 if years else -120)
    text = onset.isoformat()[:7] if plan.person % 9 == 4 else onset.isoformat()
    disease = plan.phenotype if plan.phenotype != "unknown" else "ALL"
    recorded = (onset + timedelta(days=rng.randrange(0, 5))).isoformat()
    rows = [
        # Some registries have only the day on which the diagnosis was recorded, some no date at all.
        Diagnosis(disease, "" if plan.person % 8 == 5 else text, "" if plan.person == 45 else recorded),
    ]
    if plan.remission_end == "relapse_condition" and plan.remission_end_day is not None:
        relapsed = on(plan.remission_end_day).isoformat()
        rows.append(Diagnosis("relapse", relapsed, relapsed, clinical_status="relapse"))
    if plan.person % 6 == 0:
        rows.append(Diagnosis("anaemia", on(-30).isoformat(), on(-30).isoformat()))
    return rows


def _doses(plan: Plan, on: Day) -> list[Dose]:
    partners = PARTNERS[plan.person % len(PARTNERS)] if plan.regimen == "combination" else ()
    rows = []
    for start in plan.cycle_days:
        rows.append(Dose("ondansetron", on(start), hour=11))
        for day in range(start, start + DAYS_OF_A_CYCLE):
            rows.append(Dose("clofarabine", on(day), hour=14))
            rows.extend(Dose(drug, on(day), hour=16) for drug in partners)
    if plan.person % 3 == 1:
        rows.extend(Dose("vincristine", on(-day)) for day in (46, 39, 32))
    if plan.person % 7 == 2 and plan.last_day > plan.last_dose_day + 3:
        rows.append(Dose("clofarabine", on(plan.last_dose_day + 3), outcome="cancelled"))
    if plan.new_therapy_day is not None:
        drug = NEW_THERAPY[plan.phenotype]
        days = (plan.new_therapy_day, plan.new_therapy_day + 7)
        rows.extend(Dose(drug, on(day)) for day in days if day <= plan.last_day)
    return rows


def _items(plan: Plan, assessments: list[Assessment], on: Day) -> list[StudyItem]:
    rows: list[StudyItem] = [
        StudyItem("prior-regimens", on(-1), plan.prior_regimens),
        StudyItem("extramedullary-disease", on(-1), plan.response == "NR_extramedullary"),
    ]
    if plan.refractory:
        rows.append(StudyItem("refractory", on(-1), plan.refractory == "yes"))
    if plan.completed_follow_up:
        rows.append(StudyItem("completed-follow-up", on(plan.last_day), plan.completed_follow_up == "yes"))
    end = plan.remission_end_day
    if end is not None and plan.remission_end == "relapse_item":
        rows.append(StudyItem("disease-relapse", on(end), True))
    if end is not None and plan.remission_end == "relapse_extramedullary":
        rows.append(StudyItem("extramedullary-disease", on(end), True))
    rows.extend(_investigator(plan, assessments, on))
    return rows


def _investigator(plan: Plan, assessments: list[Assessment], on: Day) -> list[StudyItem]:
    """The investigator's own assessment: mostly the same, sometimes not, and sometimes not recorded."""
    if plan.person % 8 == 0:
        return []
    best = plan.response.split("_")[0]
    day = plan.remission_day
    if day is None:
        day = assessments[-1].day if assessments else min(plan.last_day, 14)
    if plan.response == "CR_after_CRp":
        day += 20
    if plan.person % 11 == 0:
        best = {"CR": "CRp", "CRp": "CR", "PR": "NR", "NR": "PR", "NE": "NR"}[best]
    return [StudyItem("investigator-response", on(day), best)]


def _interventions(plan: Plan, assessments: list[Assessment], on: Day) -> list[Intervention]:
    rows = [
        Intervention("platelet_transfusion", on(day))
        for day in (9, 13, 17)
        if day <= plan.last_day and all(not day - 2 <= item.day <= day + 9 for item in assessments)
    ]
    rows.extend(
        Intervention("platelet_transfusion", on(item.day - 2)) for item in assessments if item.is_transfused
    )
    rows.extend(Intervention("marrow_aspiration", on(item.day)) for item in assessments)
    if plan.hsct_day is not None:
        rows.append(Intervention("hsct", on(plan.hsct_day)))
    if plan.person % 12 == 5:
        # A transplant that was planned and not done, and one long before this treatment.
        rows.append(Intervention("hsct", on(min(plan.last_day, 40)), status="not-done"))
        rows.append(Intervention("hsct", on(-400)))
    return rows


def _stays(plan: Plan, assessments: list[Assessment], on: Day) -> list[Stay]:
    last = plan.last_day
    died_in_hospital = plan.death_source == "encounter" or (
        plan.death_source == "patient" and plan.death_day == last and plan.person % 2 == 0
    )
    rows = [
        Stay(on(start - 2), on(min(start + 12, last)), is_inpatient=True)
        for start in plan.cycle_days
        if start + 12 < last or not died_in_hospital
    ]
    visits = {item.day for item in assessments} | set(range(40, last, 35)) | {last}
    if plan.new_therapy_day is not None:
        visits.add(plan.new_therapy_day)
    if plan.hsct_day is not None:
        rows.append(Stay(on(plan.hsct_day - 3), on(min(plan.hsct_day + 20, last)), is_inpatient=True))
    rows.extend(Stay(on(day), None) for day in sorted(visits))
    if died_in_hospital and plan.death_day is not None:
        rows.append(
            Stay(on(max(plan.death_day - 6, -2)), on(plan.death_day), is_inpatient=True, has_died=True)
        )
    return rows


def _death(plan: Plan, on: Day) -> Death | None:
    if plan.death_day is None:
        return None
    cause = cause_of_death(plan)
    day = on(plan.death_day).isoformat()
    if plan.death_source == "undated":
        return Death("", "undated")
    if plan.death_source == "patient_month":
        return Death(day[:7], "patient")
    # One registry disagrees with the patient's record by a day.
    also = on(plan.death_day + 1).isoformat() if plan.person == 2 else ""
    return Death(day, plan.death_source, cause, also_observed=also)


def _mistaken(plan: Plan, on: Day) -> list[Measurement]:
    """A count entered for the wrong person, and withdrawn."""
    if plan.person % 15 != 4:
        return []
    return [replace(value("platelets", on(3), 912), is_mistaken=True)]
