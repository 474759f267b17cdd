"""The verdict of `fhir.resources` on a resource as a whole, and resources made wrong in one place."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from mappers.fhir_types import has_type, model_of
from mappers.shapes import CONTAINER, fields_of

WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", " ", "x", "2020-13-45", "2020-02", "2020-02-30T10:00:00Z", [], {},
    [None], [{}], ["x"], {"id": "a"}, {"extension": [{"url": "u", "valueString": "v"}]}, {"coding": "x"},
    {"reference": 1}, {"value": "41", "unit": ""}, {"start": "2020", "end": 5},
)  # fmt: skip


def accepts(resource: dict[str, Any], version: str) -> bool:
    """Whether the model of its type takes the resource, without the fields that the standard doesn't know."""
    kind = resource["resourceType"]
    try:
        model_of(version, kind).model_validate(known(version, kind, resource))
    except ValidationError:
        return False
    return True


def known(version: str, type_name: str, value: dict[str, Any], is_contained: bool = False) -> dict[str, Any]:
    """The fields of an object that the standard knows, spelt as it does; a contained resource keeps its type."""
    fields = fields_of(version, type_name)
    kept = {
        fields[name].json_name: inside(version, fields[name].type_name, inner)
        for name, inner in value.items()
        if name in fields
    }
    return kept | {"resourceType": value["resourceType"]} if is_contained else kept


def inside(version: str, type_name: str | None, value: Any) -> Any:
    if isinstance(value, list):
        return [inside(version, type_name, item) for item in value]
    if type_name is None or not isinstance(value, dict):
        return value
    if type_name == CONTAINER:
        kind = value.get("resourceType")
        if isinstance(kind, str) and has_type(version, kind):
            return known(version, kind, value, is_contained=True)
        return "no resource"
    return known(version, type_name, value)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member and item."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if key != "resourceType":
            yield (*at, key)
            yield from places(inner, (*at, key))


def made_wrong(resource: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The resource with one value put in the place of another, taken away, or set beside."""
    made = copy.deepcopy(resource)
    *path, last = draw.choice(list(places(resource)))
    parent: Any = made
    for step in path:
        parent = parent[step]
    kind = draw.randrange(4)
    if kind == 0:
        del parent[last]
    elif kind == 1 and isinstance(parent, dict):
        parent[
            draw.choice(("value", "effectiveDateTime", "valueString", "unknown", "_status", "onsetString"))
        ] = draw.choice(WRONG)
    else:
        parent[last] = draw.choice(WRONG)
    return made


def encoded(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()
