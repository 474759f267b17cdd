"""The study on the open MIMIC-IV demo, computed again from the files in plain Python, by the rules as written.

Small loops over JSON, no code of the project: what it gives is compared with what the project gives. A rule is
named where it is used. Not covered, since the data have none: merged patients, partial dates, undated deaths, R5.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, quantiles, stdev
from typing import Any

INDEX_DRUG = ("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-medication-icu", "225798")
VENTILATION = ("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-d-items", "225792")
SURVIVAL_WEEKS = (1, 2, 4, 8, 12, 26, 52)
VENTILATION_WEEKS = (1, 2, 4)
EARLY_DAYS = 30

# A dose that was given, whole or in part; a dispense, a procedure that happened.
GIVEN = {"completed", "in-progress", "stopped"}
DONE = {"completed", "in-progress"}
NO_ENCOUNTER = {"planned", "cancelled", "entered-in-error"}
NO_OBSERVATION = {"entered-in-error", "cancelled"}

# Types that no clinical rule reads.
NOT_ASKED_FOR = {"Location", "Organization", "Specimen"}

# What is repeated for the one site, by the page on results.csv; `baseline.` is a beginning.
BY_SITE = ("attrition", "baseline.", "death", "overall_survival", "quality.resources", "quality.finding")

Key = tuple[str, str, str, str]
"""analysis, level, statistic, method."""
Resource = dict[str, Any]


@dataclass
class Person:
    """What the files say of one Patient: whole days as written at the hospital."""

    reference: str
    born: dt.date
    sex: str
    death: dt.date | None
    doses: list[dt.date] = field(default_factory=list)
    ventilated: list[dt.date] = field(default_factory=list)
    # First and last day of each record that is a contact; the last only of encounters.
    contacts: list[tuple[dt.date, dt.date | None]] = field(default_factory=list)
    # The day of recording of a diagnosis, which may follow the death, is a contact beside those.
    recorded: list[dt.date] = field(default_factory=list)


@dataclass(frozen=True)
class Course:
    """A treated person's times, in days from the first dose."""

    person: Person
    days: int
    died: bool
    ventilated_days: int | None

    @property
    def until_ventilation(self) -> tuple[int, int]:
        """Time, and what ended it: 1 ventilation, 2 death before it, 0 neither."""
        if self.ventilated_days is not None:
            return self.ventilated_days, 1
        return self.days, 2 if self.died else 0


def lines(folder: Path) -> Iterator[str]:
    """The resources of the published files, as they stand there."""
    for path in sorted(folder.glob("*.ndjson.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield from (line for line in file if line.strip())


def read_persons(resources: Iterable[Resource]) -> dict[str, Person]:
    """Persons by reference."""
    by_type = defaultdict(list)
    for resource in resources:
        by_type[resource["resourceType"]].append(resource)
    persons = {}
    for r in by_type["Patient"]:
        reference, born = f"Patient/{r['id']}", dt.date.fromisoformat(r["birthDate"])
        persons[reference] = Person(reference, born, r["gender"], day(r.get("deceasedDateTime")))
    for r in by_type["MedicationAdministration"]:
        given = began(r, "effective")
        if r["status"] in GIVEN and given:
            whose(persons, r).contacts.append((given, None))
            if has_code(r["medicationCodeableConcept"], INDEX_DRUG):
                whose(persons, r).doses.append(given)
    for r in by_type["Procedure"]:
        done = began(r, "performed")
        if r["status"] in DONE and done:
            whose(persons, r).contacts.append((done, None))
            if has_code(r["code"], VENTILATION):
                whose(persons, r).ventilated.append(done)
    for r in by_type["Encounter"]:
        start = day(r["period"].get("start"))
        if r["status"] not in NO_ENCOUNTER and start:
            whose(persons, r).contacts.append((start, day(r["period"].get("end"))))
    for r in by_type["Observation"]:
        seen = began(r, "effective")
        if r["status"] not in NO_OBSERVATION and seen:
            whose(persons, r).contacts.append((seen, None))
    for r in by_type["MedicationDispense"]:
        dispensed = day(r.get("whenHandedOver"))
        if r["status"] in DONE and dispensed:
            whose(persons, r).contacts.append((dispensed, None))
    for r in by_type["Condition"]:
        recorded = day(r.get("recordedDate"))
        if recorded:
            whose(persons, r).recorded.append(recorded)
    return persons


def day(text: str | None) -> dt.date | None:
    """The date as written; what is no whole date is none."""
    return dt.date.fromisoformat(text[:10]) if text and len(text) >= 10 else None


def began(resource: Resource, name: str) -> dt.date | None:
    return day(resource.get(f"{name}DateTime") or resource.get(f"{name}Period", {}).get("start"))


def whose(persons: dict[str, Person], resource: Resource) -> Person:
    return persons[resource["subject"]["reference"]]


def has_code(concept: Resource, wanted: tuple[str, str]) -> bool:
    return any((c.get("system"), c.get("code")) == wanted for c in concept.get("coding", []))


def latest_date(persons: Iterable[Person]) -> dt.date:
    """The cut-off where none is given: the latest among deaths and contacts."""
    dates = [date for p in persons for contact in p.contacts for date in contact if date]
    return max(
        [*dates, *(date for p in persons for date in p.recorded), *(p.death for p in persons if p.death)]
    )


def last_contact(person: Person, cutoff: dt.date) -> dt.date:
    """An encounter counts with its end, with its start where that lies after the death or the cut-off."""
    limit = min(cutoff, person.death or cutoff)
    days = [end if end and end <= limit else start for start, end in person.contacts] + person.recorded
    return max(date for date in days if date <= limit)


def course(person: Person, cutoff: dt.date) -> Course:
    """A first ventilation on the day of the first dose is at time 0; one before it isn't looked at."""
    index = min(person.doses)
    end = person.death or last_contact(person, cutoff)
    ventilated = [date for date in person.ventilated if index <= date <= end]
    return Course(
        person,
        (end - index).days,
        person.death is not None,
        (min(ventilated) - index).days if ventilated else None,
    )


def courses(persons: dict[str, Person]) -> list[Course]:
    """Of the treated."""
    cutoff = latest_date(persons.values())
    return [course(person, cutoff) for person in persons.values() if person.doses]


# No repr, since a failed test would print it.
@dataclass(frozen=True, repr=False)
class ByHand:
    """Every number of results.csv for everybody, and whom they are made of."""

    numbers: dict[Key, float]
    known: set[str]
    treated: list[Course]


def compute(folder: Path) -> ByHand:
    received: Counter[str] = Counter()
    imprecise = 0

    def resources() -> Iterator[Resource]:
        nonlocal imprecise
        for line in lines(folder):
            texts: list[str] = []
            json.loads(line, parse_float=texts.append)
            resource = json.loads(line)
            received[resource["resourceType"]] += 1
            imprecise += any(digits(text) > 15 for text in texts)
            yield resource

    persons = read_persons(resources())
    treated = courses(persons)
    numbers = (
        {("attrition", level, "n", ""): float(len(persons)) for level in ("known", "diagnosed")}
        | {("attrition", "treated", "n", ""): float(len(treated))}
        | baseline(treated)
        | exposure(treated)
        | deaths(treated)
        | kaplan_meier("overall_survival", [(c.days, c.died) for c in treated])
        | reverse_kaplan_meier([(c.days, not c.died) for c in treated])
        | aalen_johansen([c.until_ventilation for c in treated])
        | quality(received, imprecise)
        | contradictions(persons, treated)
    )
    return ByHand(numbers, set(persons), treated)


def digits(number: str) -> int:
    """Significant digits of a number as written."""
    return len(number.lower().split("e")[0].replace(".", "").lstrip("-0").rstrip("0"))


def shares(analysis: str, counts: dict[str, int], whole: int) -> dict[Key, float]:
    return {(analysis, level, "n", ""): float(n) for level, n in counts.items()} | {
        (analysis, level, "percent", ""): 100 * n / whole for level, n in counts.items()
    }


def spread(analysis: str, values: list[int]) -> dict[Key, float]:
    return {
        (analysis, "", "median", ""): float(median(values)),
        (analysis, "", "min", ""): float(min(values)),
        (analysis, "", "max", ""): float(max(values)),
    }


def baseline(treated: list[Course]) -> dict[Key, float]:
    ages = [completed_years(c.person.born, min(c.person.doses)) for c in treated]
    # The inclusive method is Hyndman-Fan type 7.
    q1, _, q3 = quantiles(ages, n=4, method="inclusive")
    numbers = {"n": len(ages), "missing": 0, "mean": mean(ages), "sd": stdev(ages), "q1": q1, "q3": q3}
    sexes = {sex: sum(c.person.sex == sex for c in treated) for sex in ("male", "female", "other", "unknown")}
    return (
        spread("baseline.age", ages)
        | {("baseline.age", "", name, ""): float(value) for name, value in numbers.items()}
        | shares("baseline.sex", sexes, len(treated))
    )


def completed_years(born: dt.date, on: dt.date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def exposure(treated: list[Course]) -> dict[Key, float]:
    """Only administrations count here, so everybody's evidence is that. One record is one dose."""
    doses = [c.person.doses for c in treated]
    return (
        shares("exposure.evidence", {"administered": len(treated)}, len(treated))
        | spread("exposure.doses", [len(dates) for dates in doses])
        | spread("exposure.days", [(max(dates) - min(dates)).days + 1 for dates in doses])
    )


def deaths(treated: list[Course]) -> dict[Key, float]:
    classes = {"all": 0, "within_30_days": 0, "later": 0}
    for death_class in filter(None, map(class_of_death, treated)):
        classes["all"] += 1
        classes[death_class] += 1
    flags = {"treated": len(treated), "died": classes["all"]}
    return shares("death", classes, len(treated)) | shares("disposition", flags, len(treated))


def class_of_death(treated: Course) -> str | None:
    death, last_dose = treated.person.death, max(treated.person.doses)
    if death is None:
        return None
    return "within_30_days" if (death - last_dose).days <= EARLY_DAYS else "later"


def members(by_hand: ByHand, analysis: str, level: str) -> set[str]:
    """References of the Patients whom a count of persons counts."""
    everybody = {c.person.reference for c in by_hand.treated}
    if analysis == "attrition" and level in ("known", "diagnosed"):
        return by_hand.known
    if analysis == "baseline.sex":
        return {c.person.reference for c in by_hand.treated if c.person.sex == level}
    if (analysis, level) in {("death", "all"), ("disposition", "died")}:
        return {c.person.reference for c in by_hand.treated if c.died}
    if analysis == "death":
        return {c.person.reference for c in by_hand.treated if class_of_death(c) == level}
    return everybody


def quality(received: Counter[str], imprecise: int) -> dict[Key, float]:
    """Each type and id is there once, all lines are whole, every date is whole: nothing else can have become of it."""
    not_asked_for = sum(received[kind] for kind in NOT_ASKED_FOR)
    fates = {
        "landed": received.total(),
        "mapped": received.total() - not_asked_for,
        "not_asked_for": not_asked_for,
        "quarantined": 0,
        "superseded": 0,
    }
    return (
        {("quality.resources", fate, "n", ""): float(n) for fate, n in fates.items()}
        | {("quality.imputed_dates", date, "n", ""): 0.0 for date in ("birth", "death")}
        | {("quality.finding", "number-precision", "n", ""): float(imprecise)}
    )


def contradictions(persons: dict[str, Person], treated: list[Course]) -> dict[Key, float]:
    """Births, deaths and records that can't be in the order of their dates."""
    counted = {
        "birth_after_treatment": [c for c in treated if c.person.born > min(c.person.doses)],
        "death_before_treatment": [c for c in treated if c.days < 0],
        "record_after_death": [c for c in treated if after_death(c.person)],
    }
    found = {
        "record:after-death": sum(after_death(person) for person in persons.values()),
        "death:before-treatment": len(counted["death_before_treatment"]),
        "birth:after-treatment": len(counted["birth_after_treatment"]),
    }
    persons_counted = {
        ("quality.contradictory_dates", kind, "n", ""): float(len(some)) for kind, some in counted.items()
    }
    return persons_counted | {("quality.finding", rule, "n", ""): float(n) for rule, n in found.items() if n}


def after_death(person: Person) -> int:
    """Records that begin after the death; the cut-off is the latest of all dates."""
    return sum(person.death is not None and start > person.death for start, _ in person.contacts)


def product_limit(rows: list[tuple[int, bool]]) -> list[tuple[int, float, float, float]]:
    """Steps of the Kaplan-Meier curve: day, survival, and log-log limits with Greenwood's variance."""
    curve, left, greenwood = [], 1.0, 0.0
    for time in sorted({t for t, event in rows if event}):
        at_risk = sum(t >= time for t, _ in rows)
        ended = sum(t == time and event for t, event in rows)
        left *= 1 - ended / at_risk
        low = high = math.nan
        if ended < at_risk:
            greenwood += ended / (at_risk * (at_risk - ended))
            spread_of_log = 1.959963984540054 * math.sqrt(greenwood) / abs(math.log(left))
            low, high = left ** math.exp(spread_of_log), left ** math.exp(-spread_of_log)
        curve.append((time, left, low, high))
    return curve


def medians(analysis: str, curve: list[tuple[int, float, float, float]]) -> dict[Key, float]:
    """The first week at or below one half, of the curve and of its limits; none is at one half exactly here."""
    found = {}
    for column, name in ((1, "median"), (2, "ci_low"), (3, "ci_high")):
        below = [step for step in curve if step[column] <= 0.5]
        assert below and abs(below[0][column] - 0.5) > 1e-9, (
            f"{analysis} {name} needs the rule of flat stretches"
        )
        found[analysis, "", name, "km log-log"] = below[0][0] / 7
    return found


def kaplan_meier(analysis: str, rows: list[tuple[int, bool]]) -> dict[Key, float]:
    curve = product_limit(rows)
    found = medians(analysis, curve) | {
        (analysis, "", "n", ""): float(len(rows)),
        (analysis, "", "events", ""): float(sum(event for _, event in rows)),
        (analysis, "", "min", ""): min(t for t, _ in rows) / 7,
        (analysis, "", "max", ""): max(t for t, _ in rows) / 7,
    }
    for week in SURVIVAL_WEEKS:
        _, *numbers = [step for step in curve if step[0] <= 7 * week][-1]
        for name, number in zip(("survival", "ci_low", "ci_high"), numbers, strict=True):
            found[analysis, f"week_{week}", name, "km log-log"] = number
        found[analysis, f"week_{week}", "at_risk", ""] = float(sum(t >= 7 * week for t, _ in rows))
    return found


def reverse_kaplan_meier(rows: list[tuple[int, bool]]) -> dict[Key, float]:
    """Follow-up: the end of observation is the event, a death censors it."""
    return medians("follow_up", product_limit(rows))


def aalen_johansen(rows: list[tuple[int, int]]) -> dict[Key, float]:
    """The cumulative incidence of cause 1 at weeks; cause 2 competes, and comes later on a day with both."""
    curve, incidence, free = [(0, 0.0)], 0.0, 1.0
    for time in sorted({t for t, cause in rows if cause}):
        at_risk = sum(t >= time for t, _ in rows)
        ended = [cause for t, cause in rows if t == time and cause]
        incidence += free * ended.count(1) / at_risk
        free *= 1 - len(ended) / at_risk
        curve.append((time, incidence))
    ends = [cause for _, cause in rows]
    counted = {"n": len(ends), "events": ends.count(1), "competing": ends.count(2)}
    still = {week: sum(time >= 7 * week for time, _ in rows) for week in VENTILATION_WEEKS}
    return {
        **{("ventilation_incidence", "", name, ""): float(count) for name, count in counted.items()},
        **{("ventilation_incidence", f"week_{week}", "at_risk", ""): float(n) for week, n in still.items()},
        **{
            ("ventilation_incidence", f"week_{week}", "incidence", "aalen-johansen"): [
                value for time, value in curve if time <= 7 * week
            ][-1]
            for week in VENTILATION_WEEKS
        },
    }
