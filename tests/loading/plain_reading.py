"""Reads lines in plain Python, apart from the engine: what a view over them has to give."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?")


class AmbiguousError(Exception):
    """The line has two types."""


class UnreadableError(Exception):
    """The line has no value of the right type where a view reads one; it must not be mapped."""


@dataclass(frozen=True)
class Leaf:
    """A value that a view reads: its FHIRPath, its place in JSON (`[]` behind a list), and its kind."""

    fhirpath: str
    place: str
    kind: str = "text"


LEAVES = {
    "Patient": [
        Leaf("birthDate", "birthDate", "date"),
        Leaf("gender", "gender"),
        Leaf("active", "active", "boolean"),
        Leaf("deceased.ofType(dateTime)", "deceasedDateTime", "date"),
        Leaf("multipleBirth.ofType(integer)", "multipleBirthInteger", "integer"),
        Leaf("name.family", "name[].family"),
        Leaf("name.given", "name[].given[]"),
        Leaf("identifier.value", "identifier[].value"),
        Leaf("extension.extension.value.ofType(Coding).code", "extension[].extension[].valueCoding.code"),
    ],
    "Observation": [
        Leaf("status", "status"),
        Leaf("code.coding.system", "code.coding[].system"),
        Leaf("code.coding.code", "code.coding[].code"),
        Leaf("subject.reference", "subject.reference"),
        Leaf("effective.ofType(dateTime)", "effectiveDateTime", "date"),
        Leaf("value.ofType(Quantity).value", "valueQuantity.value", "decimal"),
        Leaf("value.ofType(Quantity).unit", "valueQuantity.unit"),
        Leaf("value.ofType(integer)", "valueInteger", "integer"),
        Leaf("value.ofType(boolean)", "valueBoolean", "boolean"),
        Leaf("value.ofType(string)", "valueString"),
        Leaf("component.value.ofType(Quantity).value", "component[].valueQuantity.value", "decimal"),
        Leaf("component.code.coding.code", "component[].code.coding[].code"),
        Leaf("referenceRange.low.value", "referenceRange[].low.value", "decimal"),
    ],
    "Condition": [
        Leaf("code.coding.code", "code.coding[].code"),
        Leaf("subject.reference", "subject.reference"),
        Leaf("onset.ofType(dateTime)", "onsetDateTime", "date"),
        Leaf("recordedDate", "recordedDate", "date"),
        Leaf("category.coding.code", "category[].coding[].code"),
    ],
    "MedicationAdministration": [
        Leaf("status", "status"),
        Leaf("subject.reference", "subject.reference"),
        Leaf("medication.ofType(CodeableConcept).coding.code", "medicationCodeableConcept.coding[].code"),
        Leaf("effective.ofType(dateTime)", "effectiveDateTime", "date"),
        Leaf("dosage.dose.value", "dosage.dose.value", "decimal"),
    ],
}
LINEAGE = ("id", "meta.versionId", "meta.lastUpdated")


def view(resource_type: str) -> dict[str, Any]:
    """A ViewDefinition with every leaf of the type, each a column with a list, behind what every load reads."""
    columns = [
        {"name": f"c{n}", "path": leaf.fhirpath, "collection": True}
        for n, leaf in enumerate(LEAVES[resource_type])
    ]
    lineage = [{"name": f"own_{path.replace('.', '_')}", "path": path} for path in LINEAGE]
    return {
        "resourceType": "ViewDefinition",
        "name": resource_type.lower(),
        "resource": resource_type,
        "status": "active",
        "select": [{"column": lineage}, {"column": columns}],
    }


def row_of(line: bytes) -> tuple[str, list[list[Any]]]:
    """The type and the row that the view has to give for the line.

    Raises UnreadableError for what is no JSON, no resource, or of another type than FHIR says in a place read.
    """
    try:
        # A mark before the text is no part of it.
        resource = json.loads(
            line.decode("utf-8-sig"), parse_constant=_refuse, parse_float=Decimal, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableError from error
    if isinstance(resource, _Twice) and "resourceType" in resource.twice:
        raise AmbiguousError
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise UnreadableError
    leaves = LEAVES.get(resource["resourceType"], [])
    return resource["resourceType"], [_values(resource, leaf) for leaf in leaves]


class _Twice(dict[str, Any]):
    """An object in which keys were there twice."""

    twice: frozenset[str]


def _refuse(_constant: str) -> Any:
    raise ValueError


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    marked = _Twice(made)
    names = [name for name, _ in pairs]
    marked.twice = frozenset(name for name in names if names.count(name) > 1)
    return marked


def _values(resource: dict[str, Any], leaf: Leaf) -> list[Any]:
    found: list[Any] = [resource]
    *objects, last = leaf.place.split(".")
    for step in objects:
        found = [item for value in found for item in _step(value, step, is_object=True)]
    return [_leaf(item, leaf.kind) for value in found for item in _step(value, last, is_object=False)]


def _step(value: dict[str, Any], step: str, *, is_object: bool) -> list[Any]:
    name = step.removesuffix("[]")
    if isinstance(value, _Twice) and name in value.twice:
        raise UnreadableError
    inner = value.get(name)
    if inner is None:
        return []
    items = inner if step.endswith("[]") else [inner]
    if not isinstance(items, list):
        raise UnreadableError
    if is_object and not all(isinstance(item, dict) for item in items):
        raise UnreadableError
    return [item for item in items if item is not None]


def _leaf(value: Any, kind: str) -> Any:
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "decimal" and is_number and abs(float(value)) != float("inf"):
        return float(value)
    if kind == "integer" and is_number and abs(value) < 2**31 and value == int(value):
        return int(value)
    if kind == "text" and isinstance(value, str) and not re.search("[\ud800-\udfff]", value):
        return value
    if kind == "date" and isinstance(value, str) and DATE.fullmatch(value):
        return value
    raise UnreadableError
