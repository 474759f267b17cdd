"""Laboratory values over time: marrow, blood counts, liver and kidney."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from random import Random

from demo.assessments import Assessment
from demo.history import Measurement
from demo.plan import Plan

# The hospitals' normal limits: low, high.
NORMAL: dict[str, tuple[str | None, str | None]] = {
    "anc": ("1.5", "8"),
    "platelets": ("150", "400"),
    "haemoglobin": ("115", "160"),
    "leukocytes": ("4", "10"),
    "alt": (None, "40"),
    "ast": (None, "40"),
    "bilirubin": (None, "21"),
    "creatinine": (None, "80"),
}
WINDOW_DAYS = 7


def value(concept: str, on: date, number: float | str, comparator: str = "") -> Measurement:
    """A measurement with the normal limits of its concept."""
    low, high = NORMAL.get(concept, (None, None))
    return Measurement(
        concept,
        on,
        Decimal(str(number)),
        comparator,
        Decimal(low) if low else None,
        Decimal(high) if high else None,
    )


def measure(
    plan: Plan, assessments: Iterable[Assessment], on: Callable[[int], date], rng: Random
) -> list[Measurement]:
    """All values of a planned person: at baseline, weekly through the nadir, and with each evaluation."""
    evaluated = list(assessments)
    rows = _baseline(plan, on, rng)
    for day in (7, 14, 21, 28):
        if day <= plan.last_day and all(abs(day - item.day) > WINDOW_DAYS for item in evaluated):
            rows.extend(_nadir(on(day), day, rng))
    for item in evaluated:
        rows.extend(_evaluation(item, on, rng))
    for day in (8, 15, 29):
        if day <= plan.last_day:
            rows.extend(_chemistry(on(day), 1 + rng.random() * 4, rng))
    return rows


def _baseline(plan: Plan, on: Callable[[int], date], rng: Random) -> list[Measurement]:
    marrow = {"NR_not_halved": 30, "PR": 80}.get(plan.response, rng.randrange(26, 97))
    rows = [
        value("anc", on(-1), rng.randrange(1, 30) / 10),
        value("platelets", on(-1), rng.randrange(12, 190)),
        value("haemoglobin", on(-1), rng.randrange(72, 125)),
        value("leukocytes", on(-1), rng.randrange(5, 300) / 10),
        value("blood_blasts", on(-1), rng.randrange(0, 80)),
        *_chemistry(on(-1), 1.0, rng),
    ]
    if plan.response != "NE_baseline_marrow_missing":
        rows.append(value("marrow_blasts", on(-rng.randrange(2, 10)), marrow))
    return rows


def _nadir(when: date, day: int, rng: Random) -> list[Measurement]:
    """Counts when the marrow is empty; the analyser prints `<` below its range."""
    depth = 28 - day + 4
    anc = (
        value("anc", when, "0.1", "<") if rng.random() < 0.3 else value("anc", when, rng.randrange(1, 6) / 10)
    )
    platelets = (
        value("platelets", when, 10, "<")
        if rng.random() < 0.2
        else value("platelets", when, rng.randrange(10, 90 - depth))
    )
    return [
        anc,
        platelets,
        value("haemoglobin", when, rng.randrange(68, 98)),
        value("leukocytes", when, rng.randrange(2, 14) / 10),
    ]


def _evaluation(item: Assessment, on: Callable[[int], date], rng: Random) -> list[Measurement]:
    # The blood is sometimes drawn on the day before the marrow.
    drawn = on(item.day - (1 if rng.random() < 0.2 else 0))
    rows = [
        value("marrow_blasts", on(item.day), item.marrow_blasts),
        value("haemoglobin", drawn, rng.randrange(80, 121)),
        value("leukocytes", drawn, rng.randrange(15, 62) / 10),
    ]
    for concept, number in (
        ("anc", item.anc),
        ("platelets", item.platelets),
        ("blood_blasts", item.blood_blasts),
    ):
        if number is not None:
            rows.append(value(concept, drawn, number))
    return rows


def _chemistry(when: date, rise: float, rng: Random) -> list[Measurement]:
    return [
        value("alt", when, round(rng.randrange(12, 70) * rise)),
        value("ast", when, round(rng.randrange(14, 60) * rise)),
        value("bilirubin", when, round(rng.randrange(5, 16) * rise)),
        value("creatinine", when, round(rng.randrange(24, 50) * (1 + rise / 8))),
    ]
