"""Every fault of a resource's shape, by walking it field by field: for the few lines that msgspec refuses."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from mappers import calendar
from mappers.fhir_types import has_type
from mappers.fields import of_resource_type
from mappers.shapes import CONTAINER, Field, fields_of

_DATES = ("date", "dateTime", "instant")


class Fault(msgspec.Struct, frozen=True):
    """One fault of a resource: what (`type`, `date`, `required`, `unknown`) and where, by field names."""

    what: str
    path: tuple[str, ...]
    is_understood: bool = False


def faults_of(version: str, resource_type: str, value: dict[str, Any]) -> Iterator[Fault]:
    """Every fault of a decoded resource against the version's model, unknown fields among them."""
    known = {key: v for key, v in value.items() if key != "resourceType"}
    yield from _object_faults(version, resource_type, known, ())


def _object_faults(
    version: str, type_name: str, value: dict[str, Any], at: tuple[str, ...]
) -> Iterator[Fault]:
    fields = fields_of(version, type_name)
    for name, inner in value.items():
        field = fields.get(name)
        if field is None:
            # The name itself comes from the source, and may be anything: only its place is told.
            yield Fault("unknown", at)
        elif inner is not None:
            yield from _field_faults(version, field, inner, (*at, field.json_name))
    for name, field in fields.items():
        if field.is_required and value.get(name) is None and value.get(f"_{name}") is None:
            yield Fault("required", (*at, name))


def _field_faults(version: str, field: Field, value: Any, at: tuple[str, ...]) -> Iterator[Fault]:
    if not field.is_list:
        yield from _value_faults(version, field, value, at)
        return
    if not isinstance(value, list):
        yield Fault("type", at)
        return
    may_be_null = field.type_name in (None, "FHIRPrimitiveExtension")
    for item in value:
        if item is not None or not may_be_null:
            yield from _value_faults(version, field, item, at)


def _value_faults(version: str, field: Field, value: Any, at: tuple[str, ...]) -> Iterator[Fault]:
    if field.type_name == CONTAINER:
        yield from _resource_faults(version, value, at)
        return
    if field.type_name is None:
        yield from _primitive_faults(field.kind, value, at)
    elif not isinstance(value, dict):
        yield Fault("type", at)
    else:
        yield from _object_faults(version, field.type_name, value, at)


def _resource_faults(version: str, value: Any, at: tuple[str, ...]) -> Iterator[Fault]:
    """The faults of a resource within another, as far as its type is known."""
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if isinstance(kind, str) and has_type(version, kind):
        known = {key: v for key, v in value.items() if key != "resourceType"}
        yield from _object_faults(version, kind, known, (*at, of_resource_type(kind)))


def _primitive_faults(kind: str, value: Any, at: tuple[str, ...]) -> Iterator[Fault]:
    if not _has_json_type(kind, value):
        yield Fault("type", at)
    elif kind in _DATES and not re.search(getattr(calendar, kind.upper()), value):
        yield Fault("date", at, is_understood=calendar.is_understood_date(value))
    elif kind == "time" and not re.search(calendar.TIME, value):
        yield Fault("date", at, is_understood=calendar.is_understood_time(value))


def _has_json_type(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "decimal":
        return _is_number(value) and abs(float(value)) != float("inf")
    if kind == "integer":
        # 41.0 is the number 41, whatever its spelling.
        return _is_number(value) and abs(value) < 2**31 and value == int(value)
    if kind == "integer64":
        return isinstance(value, str) or (_is_number(value) and abs(value) < 2**63 and value == int(value))
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
