"""The marrow evaluations of a planned person, each with what the blood shows beside it."""

from dataclasses import dataclass
from random import Random

from demo.plan import Plan

DAYS_BETWEEN_EVALUATIONS = 75


@dataclass(frozen=True)
class Assessment:
    """A marrow evaluation on a day, and the counts of that day. None: not measured within the window."""

    day: int
    marrow_blasts: int
    anc: float | None
    platelets: int | None
    blood_blasts: int | None = 0
    is_transfused: bool = False


def plan_assessments(plan: Plan, rng: Random) -> list[Assessment]:
    """The evaluations after the first dose, in order of days."""
    if plan.remission_day is None:
        return [_without_remission(plan, day, rng) for day in plan.marrow_days]
    return [*_before_remission(plan, rng), *_in_remission(plan, rng), *_at_relapse(plan, rng)]


def _resistant(day: int, rng: Random) -> Assessment:
    return Assessment(
        day, rng.randrange(30, 92), rng.randrange(1, 9) / 10, rng.randrange(11, 60), rng.randrange(3, 60)
    )


def _without_remission(plan: Plan, day: int, rng: Random) -> Assessment:
    anc, platelets = rng.randrange(11, 24) / 10, rng.randrange(104, 180)
    few = rng.randrange(1, 5)
    if plan.response == "PR" and day == plan.marrow_days[-1]:
        return Assessment(day, 18, anc, 45)
    match plan.response:
        case "NR_neutrophils":
            return Assessment(day, few, rng.randrange(2, 10) / 10, rng.randrange(20, 80))
        case "NR_blood_blasts":
            return Assessment(day, few, anc, platelets, blood_blasts=6)
        case "NR_extramedullary":
            return Assessment(day, few, anc, platelets)
        case "NR_not_halved":
            return Assessment(day, 20, anc, platelets)
        case "NE_anc_missing":
            return Assessment(day, few, None, platelets)
        case "NE_platelets_missing":
            return Assessment(day, few, anc, None)
        case "NE_baseline_marrow_missing":
            return Assessment(day, 15, anc, platelets)
    return _resistant(day, rng)


def _before_remission(plan: Plan, rng: Random) -> list[Assessment]:
    """An early evaluation, where there is time for one: the marrow is not yet clear."""
    assert plan.remission_day is not None
    early = plan.remission_day - 15
    return [_resistant(early, rng)] if early >= 14 else []


def _in_remission(plan: Plan, rng: Random) -> list[Assessment]:
    first, end = plan.remission_day, plan.remission_end_day
    assert first is not None and end is not None
    days = [first]
    if plan.response == "CR_after_CRp":
        days.append(first + 20)
    days.extend(range(first + DAYS_BETWEEN_EVALUATIONS, end - 6, DAYS_BETWEEN_EVALUATIONS))
    if not plan.remission_end:
        days.append(end)
    return [_clear(plan, day, is_first=day == first, rng=rng) for day in days]


def _clear(plan: Plan, day: int, *, is_first: bool, rng: Random) -> Assessment:
    blasts, anc = rng.randrange(0, 5), rng.randrange(10, 32) / 10
    many, few = rng.randrange(100, 260), rng.randrange(24, 100)
    # Peripheral blasts are not always counted when none are suspected.
    blood_blasts = None if rng.random() < 0.15 else 0
    if is_first and plan.response == "CRp_transfused":
        return Assessment(day, blasts, anc, many, blood_blasts, is_transfused=True)
    if plan.response.startswith("CRp") or (is_first and plan.response == "CR_after_CRp"):
        return Assessment(day, blasts, anc, few, blood_blasts)
    return Assessment(day, blasts, anc, many, blood_blasts)


def _at_relapse(plan: Plan, rng: Random) -> list[Assessment]:
    """The marrow at relapse; where another finding shows the relapse, the marrow follows it by four days."""
    end = plan.remission_end_day
    if not plan.remission_end.startswith("relapse") or end is None:
        return []
    day = end if plan.remission_end == "relapse_marrow" else end + 4
    return [Assessment(day, rng.randrange(25, 90), 0.7, 48, rng.randrange(1, 40))]
