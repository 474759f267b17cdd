"""Persons that the hospitals know and the study leaves out, at each step of its attrition."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from demo.history import Diagnosis, Dose, History, Stay
from demo.laboratory import value


@dataclass(frozen=True)
class Leaver:
    """Why one person is not in the study. `diagnosed_day` counts from the dose (or the first visit)."""

    hospital: str
    disease: str
    verification: str = "confirmed"
    diagnosed_day: int = -200
    dose: str = ""


LEAVERS = (
    # Known, not diagnosed: another disease; the leukaemia refuted, or entered for the wrong person.
    Leaver("a", "anaemia"),
    Leaver("f", "anaemia"),
    Leaver("g", "AML"),
    Leaver("b", "ALL", verification="refuted"),
    Leaver("d", "ALL", verification="refuted", dose="given"),
    Leaver("c", "B-cell", verification="entered-in-error"),
    # Looks treated, but not for this disease, or not known to have it until long after.
    Leaver("b", "AML", dose="given"),
    Leaver("e", "AML", dose="given"),
    Leaver("g", "ALL", diagnosed_day=60, dose="given"),
    # Diagnosed, never given the drug.
    Leaver("a", "B-cell"),
    Leaver("c", "ALL"),
    Leaver("d", "T-cell"),
    Leaver("f", "B-cell"),
    Leaver("h", "ALL"),
    Leaver("a", "B-cell", dose="cancelled"),
    Leaver("b", "ALL", dose="cancelled"),
    Leaver("e", "B-cell", dose="cancelled"),
    Leaver("g", "T-cell", dose="cancelled"),
    Leaver("c", "B-cell", dose="withheld"),
    Leaver("d", "ALL", dose="withheld"),
    Leaver("h", "B-cell", dose="withheld"),
)


def leaving_histories(seed: int, *, first_person: int) -> list[History]:
    """A history for each of `LEAVERS`, numbered from `first_person`."""
    return [
        _history(leaver, person, Random(f"{seed}/{person}"))
        for person, leaver in enumerate(LEAVERS, first_person)
    ]


def _history(leaver: Leaver, person: int, rng: Random) -> History:
    start = date(2014, 6, 2) + timedelta(days=rng.randrange(1400))
    diagnosed = (start + timedelta(days=leaver.diagnosed_day)).isoformat()
    days = [start + timedelta(days=day) for day in range(5)]
    doses = [Dose("clofarabine", day, outcome=leaver.dose) for day in days] if leaver.dose else []
    return History(
        person=person,
        hospital=leaver.hospital,
        sex=rng.choice(("male", "female")),
        birth=(start - timedelta(days=365 * rng.randrange(3, 18) + 100)).isoformat(),
        diagnoses=(Diagnosis(leaver.disease, diagnosed, diagnosed, verification=leaver.verification),),
        doses=(*doses, *(Dose("cytarabine", day) for day in days[:2])),
        measurements=(
            value("platelets", start, rng.randrange(40, 300)),
            value("haemoglobin", start, rng.randrange(80, 130)),
        ),
        stays=(Stay(start, days[-1], is_inpatient=True), Stay(start + timedelta(days=50), None)),
    )
