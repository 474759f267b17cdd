"""Validates a resource in full: by the models of `fhir.resources`, and by rules that these don't know.

A resource is taken apart, and each element given to its own model; the element that it is part of then gets the
validated instance instead of the JSON. So the verdict is that of `fhir.resources` on the whole, the path of a fault is
known, and an element that many resources have alike (a code, a unit, a reference) is validated once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from pydantic import ValidationError

from mappers.date_order import is_after
from mappers.fhir_types import has_type, model_of
from mappers.required_codes import required_codes
from mappers.resource_rules import Path, dose_rules, order_rules, ordered_types
from mappers.shapes import CONTAINER, Field, fields_of

KEPT = 20_000  # elements remembered, so that memory stays bounded

Fault = tuple[str, Path]
Checked = tuple[Any, tuple[Fault, ...]]

NAMED_BY_PLACE = ("invalid", "code", "period")
_NULL = b"null"
_ORDERED = ordered_types()


class Validator:
    """Validates resources one after the other, and remembers the elements that it has seen."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, bytes], Checked] = {}
        self._members = msgspec.json.Decoder(dict[str, msgspec.Raw])
        self._items = msgspec.json.Decoder(list[msgspec.Raw])
        # A number keeps its text: a double may be on the other side of a limit.
        self._any = msgspec.json.Decoder(float_hook=Decimal)

    def rules(self, data: bytes, resource_type: str, version: str) -> tuple[str, ...]:
        """The names of the rules that a resource breaks, sorted; none where it is valid.

        `data` is the resource as received (a JSON object), `version` is `R4B` or `R5`. A name tells fields of the
        standard, never a value.
        """
        try:
            _, faults = self._object(version, resource_type, data)
        except RecursionError:  # deeper than any model goes; `fhir.resources` gives up there too
            return (f"invalid:{resource_type}",)
        broken = set(dose_rules(resource_type, faults))
        broken |= {
            f"{what}:{'.'.join((resource_type, *path))}" for what, path in faults if what in NAMED_BY_PLACE
        }
        if resource_type in _ORDERED:
            broken |= set(order_rules(resource_type, self._any.decode(data)))
        return tuple(sorted(broken))

    def _object(self, version: str, type_name: str, data: bytes) -> Checked:
        """An object as its model's instance, and the faults in it, each with its path from here."""
        fields = fields_of(version, type_name)
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, raw in self._members.decode(data).items():
            field = fields.get(name)
            if field is not None:
                values[field.json_name] = self._field(version, field, bytes(raw), faults)
        faults += _own_faults(version, type_name, values)
        model = model_of(version, type_name)
        try:
            return model.model_validate(values), tuple(faults)
        except ValidationError as error:
            places = {
                _place(found["loc"], fields) for found in error.errors(include_input=False, include_url=False)
            }
            # What is refused stands in for itself, so that what it is part of is judged on its own.
            return model.model_construct(), (*faults, *(("invalid", place) for place in sorted(places)))

    def _field(self, version: str, field: Field, raw: bytes, faults: list[Fault]) -> Any:
        if field.type_name is None or raw == _NULL:
            return self._any.decode(raw)
        if not field.is_list:
            return self._element(version, field, raw, faults)
        if not raw.startswith(b"["):
            return self._any.decode(raw)
        return [self._element(version, field, bytes(item), faults) for item in self._items.decode(raw)]

    def _element(self, version: str, field: Field, raw: bytes, faults: list[Fault]) -> Any:
        if not raw.startswith(b"{") or field.type_name is None:
            return self._any.decode(raw)
        if field.type_name == CONTAINER:
            instance, inner = self._contained(version, raw)
        else:
            key = (version, field.type_name, raw)
            known = self._seen.get(key)
            if known is None:
                if len(self._seen) >= KEPT:
                    self._seen.clear()
                known = self._seen[key] = self._object(version, field.type_name, raw)
            instance, inner = known
        faults += ((what, (field.json_name, *path)) for what, path in inner)
        return instance

    def _contained(self, version: str, raw: bytes) -> Checked:
        """A resource within another, by the model of its own type; one of no known type is refused."""
        named = self._members.decode(raw).get("resourceType")
        kind = self._any.decode(named) if named is not None else None
        if isinstance(kind, str) and kind != CONTAINER and has_type(version, kind):
            return self._object(version, kind, raw)
        return model_of(version, CONTAINER).model_construct(), (("invalid", ()),)


def _place(location: tuple[int | str, ...], fields: dict[str, Field]) -> Path:
    """The field of an error, where it is one of the standard; else the element itself."""
    name = location[0] if location else None
    return (name,) if isinstance(name, str) and name in fields else ()


def _own_faults(version: str, type_name: str, values: dict[str, Any]) -> list[Fault]:
    """What an element breaks of our rules; amounts below zero are faults only where they are doses."""
    faults: list[Fault] = []
    for name, codes in required_codes(version, type_name).items():
        written = values.get(name)
        listed = written if isinstance(written, list) else [written]
        if any(isinstance(code, str) and code not in codes for code in listed):
            faults.append(("code", (name,)))
    if type_name == "Period" and is_after(values.get("start"), values.get("end")):
        faults.append(("period", ()))
    elif type_name in ("Quantity", "Duration") and _number(values.get("value")) < 0:
        faults.append(("negative", ()))
    elif type_name == "Ratio" and getattr(values.get("denominator"), "value", None) == 0:
        faults.append(("per-zero", ("denominator",)))
    return faults


def _number(value: Any) -> Decimal | int:
    return value if isinstance(value, Decimal | int) and not isinstance(value, bool) else 0
