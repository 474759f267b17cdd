"""Eight simulated hospitals, each with its own shape of FHIR files, from one set of histories."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from demo.cohort import simulated_histories
from demo.history import History
from demo.hospitals import noise, packing
from demo.hospitals.concept_maps import concept_maps
from demo.hospitals.dialect import BASE, Dialect, Resource, Unit
from demo.hospitals.medication import medications
from demo.hospitals.records import person_id, resources_of
from demo.hospitals.versions import untidy

MILLE, TENTH, HUNDREDTH = Decimal(1000), Decimal("0.1"), Decimal("0.01")
WITH_WARDS = ("a", "e", "f")
COUNTS = ("anc", "platelets", "leukocytes")
DIALECTS = {
    dialect.letter: dialect
    for dialect in (
        Dialect("a", units={"haemoglobin": Unit("g/dL", TENTH, "g/dL")}, drug_as="concept"),
        Dialect("b", drug_as="reference", units={name: Unit("K/uL", code="10*3/uL") for name in COUNTS}),
        Dialect("c", vocabularies=("snomed", "icd-10-cm", "atc", "loinc", "cove", "hl7")),
        Dialect("d", version="R5"),
        Dialect(
            "e",
            vocabularies=("kcd", "snomed", "edi", "atc", "loinc", "cove", "hl7"),
            exposure="MedicationRequest",
            drug_as="ingredient",
            counts_as_panel=True,
            events_as_conditions=True,
            units={name: Unit("10*3/uL", code="10*3/uL") for name in COUNTS}
            | {"haemoglobin": Unit("g/dL", TENTH)},
        ),
        Dialect(
            "f",
            private=True,
            exposure="MedicationDispense",
            events_as_conditions=True,
            units={name: Unit("/mm3", MILLE) for name in COUNTS}
            | {"marrow_blasts": Unit("1", HUNDREDTH, "1"), "blood_blasts": Unit("1", HUNDREDTH, "1")},
        ),
        Dialect("g", drug_as="contained", units={name: Unit("x10^9/L") for name in COUNTS}),
        Dialect("h", exposure="MedicationStatement", values_as_text=True, time_zone="Z"),
    )
}

Writer = Callable[[Path, Dialect, Sequence[History]], None]


def shapes() -> list[str]:
    """The letters of the shapes, which are also those of the hospitals."""
    return sorted(DIALECTS)


def write_hospitals(
    folder: Path, *, seed: int = 2021, known: Callable[[Sequence[History]], Sequence[History]] = list
) -> None:
    """Writes the files of all hospitals, a sub-folder each. The same seed gives the same bytes.

    `known` makes of the histories what the hospitals know of them.
    """
    histories = known(simulated_histories(seed))
    for letter in shapes():
        write_site(letter, of_hospital(letter, histories), folder / hospital_name(letter))


def hospital_name(letter: str) -> str:
    """The name of a hospital's site."""
    return f"hospital-{letter}"


def of_hospital(letter: str, histories: Sequence[History]) -> list[History]:
    """The histories that the hospital holds the record of."""
    return [history for history in histories if history.hospital == letter]


def write_site(shape: str, histories: Sequence[History], folder: Path) -> None:
    """Writes the histories as the hospital of that shape does."""
    dialect = DIALECTS[shape]
    folder.mkdir(parents=True, exist_ok=True)
    WRITERS[shape](folder, dialect, histories)


def held(letter: str, histories: Sequence[History]) -> list[Resource]:
    """All resources as the hospital's own system holds them, those that nobody asks for among them."""
    dialect = DIALECTS[letter]
    resources = everything(dialect, histories)
    if letter == "b":
        return [_as_in_a_registry(resource) for resource in resources]
    return [*noise.not_asked_for(letter), *resources] if letter in WITH_WARDS else resources


def everything(dialect: Dialect, histories: Sequence[History]) -> list[Resource]:
    """All resources of a hospital, the shared Medications first."""
    drugs = {dose.drug for history in histories for dose in history.doses}
    suspects = {event.suspect for history in histories for event in history.reactions if event.suspect}
    shared = medications(sorted(drugs | suspects), dialect) if not dialect.private else []
    return [*shared, *(resource for history in histories for resource in resources_of(history, dialect))]


def _ndjson_by_type(folder: Path, dialect: Dialect, histories: Sequence[History]) -> None:
    resources = held(dialect.letter, histories)
    for kind in sorted({resource["resourceType"] for resource in resources}):
        chosen = [resource for resource in resources if resource["resourceType"] == kind]
        broken = noise.BROKEN_LINES if kind == "Observation" and dialect.letter == "a" else ()
        packing.write_ndjson(folder / f"{kind}.ndjson", chosen, more=broken)


def _mixed_gzip(folder: Path, dialect: Dialect, histories: Sequence[History]) -> None:
    """Two files of mixed types; the Medications come last."""
    resources = held(dialect.letter, histories)
    resources.sort(key=lambda r: (r["resourceType"] == "Medication", r["id"]))
    half = len(resources) // 2
    packing.write_gzip(folder / "export-1.ndjson.gz", resources[:half])
    packing.write_gzip(folder / "export-2.ndjson.gz", resources[half:])


def _as_in_a_registry(resource: Resource) -> Resource:
    """With a field of the hospital's own, and a reference that names a version."""
    known = noise.with_unknown_fields(resource)
    if "subject" not in known:
        return known
    return {**known, "subject": {"reference": f"{known['subject']['reference']}/_history/1"}}


def _transactions(folder: Path, dialect: Dialect, histories: Sequence[History]) -> None:
    """A pretty-printed transaction a person, in a folder for each year of birth."""
    for history in histories:
        bundle = packing.transaction(everything(dialect, [history]), f"{dialect.system}/{history.person}")
        target = folder / history.birth[:4] / f"{person_id(history)}.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(bundle, ensure_ascii=False, indent=2), encoding="utf-8")


def _collection(folder: Path, dialect: Dialect, histories: Sequence[History]) -> None:
    """One R5 bundle of everything, and the encounters as NDJSON."""
    resources = everything(dialect, histories)
    visits = [r for r in resources if r["resourceType"] == "Encounter"]
    others = [r for r in resources if r["resourceType"] != "Encounter"]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in others]}
    (folder / "export.json").write_text(packing.line(bundle), encoding="utf-8")
    packing.write_ndjson(folder / "encounters.ndjson", visits)


def _with_maps(folder: Path, dialect: Dialect, histories: Sequence[History]) -> None:
    packing.write_ndjson(folder / "maps" / "ConceptMap.ndjson", concept_maps(dialect))
    _ndjson_by_type(folder, dialect, histories)


def _zip_of_searches(folder: Path, dialect: Dialect, histories: Sequence[History]) -> None:
    """A zip of search pages by person, with copies, older versions, and references of every kind."""
    base = BASE.format(letter=dialect.letter)
    members = {}
    for history in histories:
        resources = untidy(resources_of(history, dialect), history, dialect, base)
        page = packing.searchset(resources, base)
        members[f"pages/{person_id(history)}.json"] = packing.line(page)
    products = packing.searchset(_suspects(dialect, histories), base)
    members["pages/medications.json"] = packing.line(products)
    packing.write_zip(folder / "searches.zip", members)


def _suspects(dialect: Dialect, histories: Sequence[History]) -> list[Resource]:
    names = {event.suspect for history in histories for event in history.reactions if event.suspect}
    return medications(sorted(names), dialect)


def _old_export(folder: Path, dialect: Dialect, histories: Sequence[History]) -> None:
    """One file with a byte order mark, CRLF and blank lines; text instead of numbers."""
    packing.write_old_ndjson(folder / "EXPORT.NDJSON", everything(dialect, histories))


WRITERS: dict[str, Writer] = {
    "a": _ndjson_by_type,
    "b": _mixed_gzip,
    "c": _transactions,
    "d": _collection,
    "e": _ndjson_by_type,
    "f": _with_maps,
    "g": _zip_of_searches,
    "h": _old_export,
}
