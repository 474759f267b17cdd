"""The study on the open MIMIC-IV demo, computed again from the files in plain Python, by the rules as written.

Small loops over JSON, no code of the project: what it gives is compared with what the project gives.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

INDEX_DRUG = ("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-medication-icu", "225798")
VENTILATION = ("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-d-items", "225792")
GIVEN = {"completed", "in-progress", "stopped"}
DONE = {"completed", "in-progress"}

Results = dict[tuple[str, str, str], float | None]


def resources(folder: Path, *kinds: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.ndjson.gz")):
        if path.name.startswith(tuple(f"Mimic{kind}" for kind in kinds)):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                yield from (r for r in map(json.loads, lines) if r["resourceType"] in kinds)


def day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text[:10]) if text and len(text) >= 10 else None


def who(resource: dict[str, Any]) -> str:
    return str(resource.get("subject", {}).get("reference", ""))


def has(concept: dict[str, Any], wanted: tuple[str, str]) -> bool:
    return any((c.get("system"), c.get("code")) == wanted for c in concept.get("coding", []))


def began(resource: dict[str, Any], name: str) -> dt.date | None:
    return day(resource.get(f"{name}DateTime") or resource.get(f"{name}Period", {}).get("start"))


def contacts(folder: Path) -> Iterator[tuple[str, dt.date | None, dt.date | None]]:
    """Whole dates, first and last, of each record that is a contact."""
    for r in resources(folder, "Encounter"):
        if r["status"] not in ("planned", "cancelled", "entered-in-error"):
            yield who(r), day(r.get("period", {}).get("start")), day(r.get("period", {}).get("end"))
    for r in resources(folder, "MedicationAdministration"):
        if r["status"] in GIVEN:
            yield who(r), began(r, "effective"), None
    for r in resources(folder, "MedicationDispense"):
        if r["status"] in DONE:
            yield who(r), day(r.get("whenHandedOver")), None
    for r in resources(folder, "Observation"):
        if r["status"] not in ("entered-in-error", "cancelled"):
            yield who(r), began(r, "effective"), None
    for r in resources(folder, "Procedure"):
        if r["status"] in DONE:
            yield who(r), began(r, "performed"), None
    for r in resources(folder, "Condition"):
        yield who(r), day(r.get("recordedDate")), None


def compute(folder: Path) -> Results:
    """(analysis, level, statistic) → value, for everybody."""
    patients = {f"Patient/{r['id']}": r for r in resources(folder, "Patient")}
    died = {who: day(r.get("deceasedDateTime")) for who, r in patients.items()}
    doses: defaultdict[str, list[dt.date]] = defaultdict(list)
    for r in resources(folder, "MedicationAdministration"):
        on = began(r, "effective")
        if r["status"] in GIVEN and has(r.get("medicationCodeableConcept", {}), INDEX_DRUG) and on:
            doses[who(r)].append(on)
    ventilated: defaultdict[str, list[dt.date]] = defaultdict(list)
    for r in resources(folder, "Procedure"):
        on = began(r, "performed")
        if r["status"] in DONE and has(r["code"], VENTILATION) and on:
            ventilated[who(r)].append(on)
    seen: defaultdict[str, list[tuple[dt.date | None, dt.date | None]]] = defaultdict(list)
    for person, start, end in contacts(folder):
        seen[person].append((start, end))
    dates = [d for pairs in seen.values() for pair in pairs for d in pair if d]
    cutoff = max([*dates, *(d for d in died.values() if d)])

    found: Results = {
        ("attrition", "known", "n"): len(patients),
        ("attrition", "diagnosed", "n"): len(patients),
        ("attrition", "treated", "n"): len(doses),
    }
    survival, incidence = [], []
    classes = {"all": 0, "within_30_days": 0, "later": 0}
    for person, given in doses.items():
        index, last, death = min(given), max(given), died[person]
        bound = min(death, cutoff) if death else cutoff
        days = [end if end and end <= bound else start for start, end in seen[person]]
        contact = max(d for d in days if d and d <= bound)
        if death:
            classes["all"] += 1
            classes["within_30_days" if (death - last).days <= 30 else "later"] += 1
        end = death or max(contact, index)
        survival.append(((end - index).days, int(death is not None)))
        first = min((d for d in ventilated[person] if d >= index), default=None)
        if first and first <= end:
            incidence.append(((first - index).days, 1))
        else:
            incidence.append(((end - index).days, 2 if death else 0))
    found |= {("death", level, "n"): count for level, count in classes.items()}
    found |= numbers("exposure.doses", [len(given) for given in doses.values()])
    found |= numbers("exposure.days", [(max(g) - min(g)).days + 1 for g in doses.values()])
    ages = []
    for person, given in doses.items():
        born, index = dt.date.fromisoformat(patients[person]["birthDate"]), min(given)
        ages.append(index.year - born.year - ((index.month, index.day) < (born.month, born.day)))
    found |= numbers("baseline.age", ages)
    for sex in ("male", "female"):
        found["baseline.sex", sex, "n"] = sum(patients[person]["gender"] == sex for person in doses)
    found |= kaplan_meier(survival, (1, 2, 4, 8, 12, 26, 52))
    found |= aalen_johansen(incidence, (1, 2, 4))
    return found


def numbers(analysis: str, values: list[int]) -> Results:
    return {
        (analysis, "", "median"): median(values),
        (analysis, "", "min"): min(values),
        (analysis, "", "max"): max(values),
    }


def kaplan_meier(rows: list[tuple[int, int]], weeks: tuple[int, ...]) -> Results:
    """Survival and numbers at risk at weeks, and the median, by the product-limit formula."""
    name = "overall_survival"
    found: Results = {
        (name, "", "n"): len(rows),
        (name, "", "events"): sum(event for _, event in rows),
        (name, "", "min"): min(t for t, _ in rows) / 7,
        (name, "", "max"): max(t for t, _ in rows) / 7,
    }
    curve, left = [], 1.0
    for time in sorted({t for t, event in rows if event}):
        at_risk = sum(t >= time for t, _ in rows)
        left *= 1 - sum(t == time and event for t, event in rows) / at_risk
        curve.append((time, left))
    found[name, "", "median"] = next(time / 7 for time, s in curve if s < 0.5)
    assert all(abs(s - 0.5) > 1e-9 for _, s in curve), "no flat stretch at one half here"
    for week in weeks:
        found[name, f"week_{week}", "survival"] = ([1.0] + [s for time, s in curve if time <= 7 * week])[-1]
        found[name, f"week_{week}", "at_risk"] = sum(t >= 7 * week for t, _ in rows)
    return found


def aalen_johansen(rows: list[tuple[int, int]], weeks: tuple[int, ...]) -> Results:
    """The cumulative incidence of cause 1 at weeks, cause 2 competing."""
    found: Results = {}
    curve, incidence, free = [], 0.0, 1.0
    for time in sorted({t for t, cause in rows if cause}):
        at_risk = sum(t >= time for t, _ in rows)
        ended = [cause for t, cause in rows if t == time and cause]
        incidence += free * ended.count(1) / at_risk
        free *= 1 - len(ended) / at_risk
        curve.append((time, incidence))
    for week in weeks:
        found["ventilation_incidence", f"week_{week}", "incidence"] = (
            [0.0] + [value for time, value in curve if time <= 7 * week]
        )[-1]
    return found
