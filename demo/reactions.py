"""Adverse events of a planned person: before, during and after the treatment's window, dated well or badly.

Terms and their MedDRA codes are those that the NCI publishes with CTCAE v5 (`reactions.csv`).
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from random import Random

from demo.history import Reaction
from demo.plan import FOLDER, Plan

EMERGENT_DAYS = 30
FATAL = ("Sepsis", "Multi-organ failure", "Respiratory failure", "Lung infection", "Hepatic failure")
CAUSALITIES = ("Certain", "Probably-Likely", "Possible", "Unlikely", "Unclassified", "")


@dataclass(frozen=True)
class Term:
    """An adverse event's name, system organ class and codes."""

    name: str
    soc_code: str
    soc: str
    pt_code: str


@cache
def terms() -> dict[str, Term]:
    """The catalogue by name."""
    with (FOLDER / "reactions.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {row["term"]: Term(row["term"], row["soc_code"], row["soc"], row["pt_code"]) for row in rows}


def plan_reactions(plan: Plan, on: Callable[[int], date], rng: Random) -> list[Reaction]:
    """The events of one person; of those that decide a death, exactly what the plan says."""
    rows = [_usual(plan, on, rng) for _ in range(rng.randrange(2, 6))]
    rows.extend(_outside_the_window(plan, on, rng))
    rows.extend(_badly_dated(plan, on, rng))
    rows.extend(_of_the_death(plan, on))
    return rows


def cause_of_death(plan: Plan) -> str:
    """The term recorded as the cause of death: an event's, the leukaemia, or empty."""
    if plan.death_due_to == "cause":
        return FATAL[plan.person % len(FATAL)]
    dies_of_leukaemia = plan.death_due_to == "" and plan.death_source in ("patient", "observation")
    return "ALL" if dies_of_leukaemia and plan.person % 2 else ""


def _usual(plan: Plan, on: Callable[[int], date], rng: Random) -> Reaction:
    last = min(plan.last_dose_day + EMERGENT_DAYS, plan.last_day)
    day = rng.randrange(0, last + 1)
    name = rng.choice([name for name in terms() if name not in FATAL])
    grade = rng.choice((1, 1, 2, 2, 2, 3, 3, 3, 4))
    return Reaction(
        term=name,
        onset=on(day).isoformat(),
        ended=on(min(day + rng.randrange(1, 15), plan.last_day)).isoformat() if rng.random() < 0.7 else "",
        grade=grade if rng.random() < 0.9 else 0,
        is_coded=rng.random() < 0.93,
        is_serious=grade >= 3 and rng.random() < 0.5,
        led_to_discontinuation=grade >= 3 and rng.random() < 0.1,
        suspect="clofarabine" if rng.random() < 0.8 else "etoposide",
        causality=rng.choice(CAUSALITIES),
    )


def _outside_the_window(plan: Plan, on: Callable[[int], date], rng: Random) -> list[Reaction]:
    rows = []
    if plan.person % 4 == 0:
        rows.append(Reaction("Fever", on(-rng.randrange(2, 9)).isoformat(), on(-1).isoformat(), grade=1))
    late = plan.last_dose_day + EMERGENT_DAYS + 1 + plan.person % 9
    if plan.person % 5 == 0 and late <= plan.last_day:
        rows.append(Reaction("Headache", on(late).isoformat(), grade=2))
    if plan.person % 13 == 0:
        rows.append(Reaction("Nausea", on(1).isoformat(), grade=2, is_mistaken=True))
    return rows


def _badly_dated(plan: Plan, on: Callable[[int], date], rng: Random) -> list[Reaction]:
    rows = []
    if plan.person % 10 == 3:
        rows.append(
            Reaction("Vomiting", "", grade=rng.choice((1, 2)), suspect="clofarabine", causality="Possible")
        )
    if plan.person in (31, 37):
        # Over before the first dose: not emergent, wherever the end is recorded.
        rows.append(Reaction("Epistaxis", "", on(-3).isoformat(), grade=1))
    if plan.person % 11 == 6:
        rows.append(Reaction("Hypokalemia", on(2).isoformat()[:7], grade=2))
    return rows


def _of_the_death(plan: Plan, on: Callable[[int], date]) -> list[Reaction]:
    if plan.death_day is None or not plan.death_due_to:
        return []
    window_end = plan.last_dose_day + EMERGENT_DAYS
    serious = Reaction(
        term=FATAL[plan.person % len(FATAL)],
        onset="",
        grade=4,
        is_serious=True,
        suspect="clofarabine",
        causality="Possible",
    )
    if plan.death_due_to == "cause":
        day = min(plan.death_day - 3, window_end - 4)
        return [replace(serious, onset=on(day).isoformat())]
    day = min(plan.death_day, window_end - 3)
    return [
        replace(
            serious,
            onset=on(day).isoformat(),
            ended=on(plan.death_day).isoformat(),
            grade=5,
            is_fatal=True,
        )
    ]
