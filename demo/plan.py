"""The plan of the simulated cohort: for each treated person, what decides a published figure.

`treated.csv` has one row a treated person. Days count from the first dose (day 0). Whatever the seed, the study's
figures follow from this plan alone; the seed varies dates, values and events around it.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
DAYS_OF_A_CYCLE = 5


@dataclass(frozen=True)
class Plan:
    """One treated person. A day is None where the thing never happens; `last_day` is the last contact.

    `response` is the best response, and after an underscore by which way: `CRp` has few platelets, `CRp_transfused`
    enough of them but transfused, `CR_after_CRp` both in turn; `NR_…` and `NE_…` name the value that decides.
    `death_due_to` is `fatal_event`, `cause` (an event is the recorded cause of death) or empty.
    """

    person: int
    hospital: str
    sex: str
    age: int
    age_at_diagnosis: int
    phenotype: str
    prior_regimens: int
    refractory: str
    regimen: str
    cycle_days: tuple[int, ...]
    marrow_days: tuple[int, ...]
    response: str
    remission_day: int | None
    remission_days: int | None
    remission_end: str
    hsct_day: int | None
    new_therapy_day: int | None
    death_day: int | None
    death_source: str
    death_due_to: str
    completed_follow_up: str
    last_day: int

    @property
    def last_dose_day(self) -> int:
        """The day of the last dose of the index drug."""
        return self.cycle_days[-1] + DAYS_OF_A_CYCLE - 1

    @property
    def remission_end_day(self) -> int | None:
        """The day on which the remission ends, or is last seen."""
        if self.remission_day is None or self.remission_days is None:
            return None
        return self.remission_day + self.remission_days


def read_plans(path: Path = FOLDER / "treated.csv") -> list[Plan]:
    """The treated persons, in the order of the file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_plan(row) for row in csv.DictReader(file)]


def _plan(row: dict[str, str]) -> Plan:
    return Plan(
        person=int(row["person"]),
        hospital=row["hospital"],
        sex=row["sex"],
        age=int(row["age"]),
        age_at_diagnosis=int(row["age_at_diagnosis"]),
        phenotype=row["phenotype"],
        prior_regimens=int(row["prior_regimens"]),
        refractory=row["refractory"],
        regimen=row["regimen"],
        cycle_days=_days(row["cycle_days"]),
        marrow_days=_days(row["marrow_days"]),
        response=row["response"],
        remission_day=_day(row["remission_day"]),
        remission_days=_day(row["remission_days"]),
        remission_end=row["remission_end"],
        hsct_day=_day(row["hsct_day"]),
        new_therapy_day=_day(row["new_therapy_day"]),
        death_day=_day(row["death_day"]),
        death_source=row["death_source"],
        death_due_to=row["death_due_to"],
        completed_follow_up=row["completed_follow_up"],
        last_day=int(row["last_day"]),
    )


def _day(text: str) -> int | None:
    return int(text) if text else None


def _days(text: str) -> tuple[int, ...]:
    return tuple(int(day) for day in text.split(";") if day)
