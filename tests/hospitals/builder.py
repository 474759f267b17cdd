"""Small hospitals made by hand: a patient with a leukaemia, doses, marrow and counts; run the whole way to results.csv.

Dates are days from the index date, 1 March 2020. A record has no id and no subject until `person` gives it both.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.execute import execute, request_of

Resource = dict[str, Any]
Files = Mapping[str, Sequence[Resource] | Resource | str | bytes]

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
MEDDRA = "https://www.meddra.org"
NCI = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
KCD = "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8"
EDI = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-procedure"
ITEM = "urn:cove:study-item"
INDEX = dt.date(2020, 3, 1)
CLOFARABINE, ETOPOSIDE = "L01BB06", "L01CB01"
MARROW, BLOOD, ANC, PLATELETS = "11150-0", "709-6", "751-8", "777-3"


def day(number: int, time: str = "") -> str:
    """The date so many days after the index date; with a time such as `T08:00:00+09:00`."""
    return (INDEX + dt.timedelta(days=number)).isoformat() + time


def at(on: int | str) -> str:
    return day(on) if isinstance(on, int) else on


def concept(system: str, *codes: str, **fields: Any) -> Resource:
    return {"coding": [{"system": system, "code": code, **fields} for code in codes]}


def given(on: int | str = 0, drug: str = CLOFARABINE, status: str = "completed", **fields: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "status": status,
        "medicationCodeableConcept": concept(ATC, drug),
        "effectiveDateTime": at(on),
        **fields,
    }


def dispensed(on: int | str = 0, drug: str = CLOFARABINE, **fields: Any) -> Resource:
    base = {"resourceType": "MedicationDispense", "status": "completed", "whenHandedOver": at(on)}
    return base | {"medicationCodeableConcept": concept(ATC, drug)} | fields


def stated(on: int | str = 0, drug: str = CLOFARABINE, **fields: Any) -> Resource:
    base = {"resourceType": "MedicationStatement", "status": "active", "effectiveDateTime": at(on)}
    return base | {"medicationCodeableConcept": concept(ATC, drug)} | fields


def ordered(on: int | str = 0, drug: str = CLOFARABINE, **fields: Any) -> Resource:
    base = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "authoredOn": at(on)}
    return base | {"medicationCodeableConcept": concept(ATC, drug)} | fields


def leukaemia(on: int | str | None = -100, **fields: Any) -> Resource:
    base: Resource = {"resourceType": "Condition", "code": concept(ICD10, "C91.0")}
    return base | ({"onsetDateTime": at(on)} if on is not None else {}) | fields


def observed(on: int | str, system: str, code: str, **fields: Any) -> Resource:
    base = {"resourceType": "Observation", "status": "final", "code": concept(system, code)}
    return base | {"effectiveDateTime": at(on)} | fields


def measured(on: int | str, code: str, value: float, unit: str | None, **fields: Any) -> Resource:
    quantity: Resource = {"value": value}
    if unit is not None:
        quantity |= {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    quantity |= {"comparator": fields.pop("comparator")} if "comparator" in fields else {}
    return observed(on, LOINC, code, valueQuantity=quantity, **fields)


def marrow(on: int | str, value: float, unit: str | None = "%", **fields: Any) -> Resource:
    return measured(on, MARROW, value, unit, **fields)


def blood(on: int | str, value: float, **fields: Any) -> Resource:
    return measured(on, BLOOD, value, "%", **fields)


def anc(on: int | str, value: float, unit: str | None = "10*9/L", **fields: Any) -> Resource:
    return measured(on, ANC, value, unit, **fields)


def platelets(on: int | str, value: float, unit: str | None = "10*9/L", **fields: Any) -> Resource:
    return measured(on, PLATELETS, value, unit, **fields)


def counts(on: int | str, neutrophils: float = 2.0, thrombocytes: float = 150) -> list[Resource]:
    return [anc(on, neutrophils), platelets(on, thrombocytes)]


def complete(on: int) -> list[Resource]:
    """A complete remission."""
    return [marrow(on, 2), *counts(on)]


def item(on: int | str, code: str, **value: Any) -> Resource:
    return observed(on, ITEM, code, **value)


def assessed_as(on: int | str, response: str) -> Resource:
    return item(on, "investigator-response", valueCodeableConcept=concept("urn:cove:response", response))


def done(on: int | str, code: str, status: str = "completed", **fields: Any) -> Resource:
    base = {"resourceType": "Procedure", "status": status, "code": concept(SNOMED, code)}
    return base | {"performedDateTime": at(on)} | fields


def transplant(on: int | str, **fields: Any) -> Resource:
    return done(on, "234336002", **fields)


def transfusion(on: int | str, **fields: Any) -> Resource:
    return done(on, "12719002", **fields)


def visit(on: int | str, end: int | str | None = None, status: str = "finished", **fields: Any) -> Resource:
    period = {"start": at(on)} | ({"end": at(end)} if end is not None else {})
    base = {"resourceType": "Encounter", "status": status, "period": period}
    return base | {"class": {"code": "IMP"}} | fields


def reaction(on: int | str | None, term: str = "10016288", **fields: Any) -> Resource:
    base: Resource = {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "event": concept(MEDDRA, term, display=f"term {term}"),
    }
    return base | ({"date": at(on)} if on is not None else {}) | fields


def grade(number: str) -> list[Resource]:
    url = "http://hl7.org/fhir/us/ctcae/StructureDefinition/ae-grade"
    coding = {"system": "http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system", "code": number}
    return [{"url": url, "valueCodeableConcept": {"coding": [coding]}}]


def patient(name: str, **fields: Any) -> Resource:
    return {"resourceType": "Patient", "id": name, "gender": "male", "birthDate": "2010-03-01"} | fields


def person(name: str, *records: Resource | Sequence[Resource], **fields: Any) -> list[Resource]:
    """A Patient and its records, each with an id of its own, and the Patient as its subject."""
    flat = [one for part in records for one in ([part] if isinstance(part, dict) else part)]
    key = {"reference": f"Patient/{name}"}
    return [
        patient(name, **fields),
        *({"id": f"{name}-{number}", "subject": key} | one for number, one in enumerate(flat)),
    ]


def treated(name: str, *records: Resource | Sequence[Resource], **fields: Any) -> list[Resource]:
    """A person with a leukaemia and one dose on the index date, and these records."""
    return person(name, leukaemia(), given(), *records, **fields)


def ndjson(resources: Sequence[Resource]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in resources).encode()


def bundle(resources: Sequence[Resource], kind: str = "collection", **fields: Any) -> Resource:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [{"resource": one} for one in resources],
        **fields,
    }


def write(folder: Path, files: Files) -> None:
    """Writes files by their name: resources as NDJSON, one resource as JSON, text and bytes as they are."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif isinstance(content, dict):
            path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        else:
            path.write_bytes(ndjson(content))


@dataclass(frozen=True)
class Outcome:
    """What a run left: its exit code, results.csv, and the home, to ask who is behind a number."""

    code: int
    out: Path
    home: Path

    def rows(self) -> dict[tuple[str, str, str, str, str], str]:
        """analysis, group, level, statistic, method → value."""
        with (self.out / "results.csv").open(encoding="utf-8", newline="") as file:
            return {
                (row["analysis"], row["group"], row["level"], row["statistic"], row["method"]): row["value"]
                for row in csv.DictReader(file)
            }

    def counts(self, analysis: str, group: str = "all", statistic: str = "n") -> dict[str, int]:
        """level → count, of the levels with at least one."""
        return {
            level: int(float(value))
            for (name, of, level, what, _), value in self.rows().items()
            if (name, of, what) == (analysis, group, statistic) and value and float(value) > 0
        }

    def value(
        self, analysis: str, statistic: str, level: str = "", group: str = "all", method: str = ""
    ) -> float | None:
        text = self.rows()[analysis, group, level, statistic, method]
        return float(text) if text else None

    def each(self, table: str, columns: str, where: str = "true") -> dict[str, Any]:
        """Patient's id → the columns of its row in a table of the study; a list of them where it has several."""
        found: dict[str, Any] = {}
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as con:
            rows = con.execute(
                f"select person.resource_id, {columns} from clofarabine.{table} as record "
                f"join clinical.person using (person_id) where {where} order by all"
            ).fetchall()
        for name, *values in rows:
            found.setdefault(name, []).append(values[0] if len(values) == 1 else tuple(values))
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

    def findings(self, resource_type: str) -> list[tuple[str, str]]:
        """The rule and the id of each finding in a resource of the type, in order."""
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as con:
            return con.execute(
                "select distinct rule, id from quality.finding where type = $type order by all",
                {"type": resource_type},
            ).fetchall()


def run(folder: Path, *, cutoff: str | None = None, **sites: Files | Sequence[Resource]) -> Outcome:
    """Runs the reference study on hospitals; one given as a list has it in one NDJSON file."""
    for site, files in sites.items():
        write(folder / "files" / site, files if isinstance(files, Mapping) else {"all.ndjson": files})
    return run_files(folder, cutoff=cutoff)


def run_files(folder: Path, *, cutoff: str | None = None) -> Outcome:
    """Runs the reference study on the files that are there."""
    home, out = folder / "home", folder / "out"
    asked = request_of("clofarabine", home=home, files=folder / "files", out=out, data_cutoff=cutoff)
    return Outcome(execute(asked).exit_code, out, home)
