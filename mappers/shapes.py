"""The JSON shape of FHIR's types, read from the models of `fhir.resources`.

A field's shape is what JSON says of it: text, number, truth, list, object. It is made twice from one table of
fields: as msgspec types, which check a line at the speed of C and stop at the first fault, and as the table
itself, which `mappers.shape_check` walks to name every fault of the few lines that msgspec refuses.
"""

import functools
import re
import sys
import types
import typing
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from mappers import calendar
from mappers.fhir_types import has_type, model_of
from mappers.fields import FieldPath

CONTAINER = "Resource"  # the type of `contained`: a resource of any type, checked as a resource of its own


@dataclass(frozen=True)
class Field:
    """One field: the standard's JSON name, its kind (`string`, `date`, … `object`), and an object's type."""

    json_name: str
    kind: str
    type_name: str | None
    is_list: bool
    is_required: bool


# Version → type → fields, as they were read.
Shapes = dict[str, dict[str, dict[str, Field]]]
_shapes: Shapes = {}


def fields_of(version: str, type_name: str) -> dict[str, Field]:
    """The fields of a FHIR type by their JSON names; `version` is `R4B` or `R5`, `type_name` a class's name.

    Raises KeyError for a type that the version doesn't have.
    """
    known = _shapes.setdefault(version, {})
    if type_name not in known:
        known[type_name] = _fields(version, type_name)
    return known[type_name]


def know_shapes(shapes: Shapes) -> None:
    """Takes what was read before from the same models by the same rules: to import a model takes long."""
    for version, types_ in shapes.items():
        _shapes.setdefault(version, {}).update(types_)


def known_shapes() -> Shapes:
    """The fields of every type that was asked for."""
    return {version: dict(types_) for version, types_ in _shapes.items()}


def _fields(version: str, type_name: str) -> dict[str, Field]:
    model = model_of(version, type_name)
    must = {name for names in _choices(model).values() for name in names}
    known = {}
    for name, info in model.model_fields.items():
        alias = info.alias or name
        if alias in ("fhir_comments", "resourceType", "resource_type"):
            continue
        kind, inner = _kind(info.annotation)
        is_required = info.is_required() or (name in _required_primitives(model) and name not in must)
        known[alias] = Field(alias, kind, inner, _is_list(info.annotation), is_required)
    return known | _accepted_spellings(version, type_name, known)


def decoder(version: str, resource_types: tuple[str, ...]) -> msgspec.json.Decoder[typing.Any]:
    """A decoder that takes a resource of any of the types when it is right in every field, and has none
    unknown.

    It raises msgspec.ValidationError otherwise, and msgspec.DecodeError for what is no JSON.
    """
    known = tuple(
        _struct(version, name, is_resource=True) for name in resource_types if _has_type(version, name)
    )
    # msgspec asks for the type's name only where there are two to choose from.
    return msgspec.json.Decoder(typing.Union[(*known, _NoResource)])


def _has_type(version: str, type_name: str) -> bool:
    # To read the names of all types takes long.
    return type_name in _shapes.get(version, ()) or has_type(version, type_name)


class _NoResource(msgspec.Struct, tag_field="resourceType", tag="", forbid_unknown_fields=True):
    nothing: typing.Annotated[int, msgspec.Meta(gt=0, lt=1)]  # which no value is


_LEAVES: dict[str, typing.Any] = {
    "boolean": bool,
    "integer": typing.Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)],
    "integer64": int | str,  # R5 writes them as text
    "decimal": float,
    "date": typing.Annotated[str, msgspec.Meta(pattern=calendar.DATE)],
    "dateTime": typing.Annotated[str, msgspec.Meta(pattern=calendar.DATETIME)],
    "instant": typing.Annotated[str, msgspec.Meta(pattern=calendar.INSTANT)],
    "time": typing.Annotated[str, msgspec.Meta(pattern=calendar.TIME)],
    "string": str,
}


@functools.cache
def _struct(version: str, type_name: str, *, is_resource: bool = False) -> type:
    """The msgspec type of a FHIR type; types refer to each other by name, so that they may be recursive."""
    names = _names(version)
    attributes: list[typing.Any] = []
    rename = {}
    fields = fields_of(version, type_name)
    for name, field in sorted(fields.items(), key=lambda item: not item[1].is_required):
        attribute = "f_" + re.sub(r"\W", "_", name)
        rename[attribute] = name
        if field.type_name and field.type_name != CONTAINER:
            _declare(version, field.type_name)
        hint = _hint(field)
        attributes.append((attribute, hint) if field.is_required else (attribute, f"{hint} | None", None))
    made = msgspec.defstruct(
        type_name,
        attributes,
        rename=rename,
        module=names.__name__,
        tag_field="resourceType" if is_resource else None,
        tag=type_name if is_resource else None,
        forbid_unknown_fields=True,
        gc=False,
    )
    if not is_resource:
        setattr(names, type_name, made)
    return made


def _declare(version: str, type_name: str) -> None:
    names = _names(version)
    if not hasattr(names, type_name):
        setattr(names, type_name, None)  # stands for the type while it is made, so that recursion ends
        _struct(version, type_name)


def _hint(field: Field) -> str:
    leaf = f"T_{field.kind}" if field.type_name is None else field.type_name
    if field.type_name == CONTAINER:
        leaf = "T_raw"
    # FHIR puts null into a list of primitives, and of their extensions, to keep both in step.
    may_be_null = field.type_name in (None, "FHIRPrimitiveExtension")
    if not field.is_list:
        return leaf
    return f"list[{leaf} | None]" if may_be_null else f"list[{leaf}]"


@functools.cache
def _names(version: str) -> types.ModuleType:
    """The namespace in which msgspec looks up one version's types."""
    names = types.ModuleType(f"{__name__}.{version}")
    for kind, leaf in _LEAVES.items():
        setattr(names, f"T_{kind}", leaf)
    names.T_raw = msgspec.Raw  # type: ignore[attr-defined]
    sys.modules[names.__name__] = names
    return names


def _leaves(annotation: typing.Any) -> typing.Iterator[typing.Any]:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated or not arguments:
        yield annotation
        return
    for argument in arguments:
        yield from _leaves(argument)


def _is_list(annotation: typing.Any) -> bool:
    if typing.get_origin(annotation) is list:
        return True
    return any(_is_list(argument) for argument in typing.get_args(annotation))


def _kind(annotation: typing.Any) -> tuple[str, str | None]:
    leaf = next(leaf for leaf in _leaves(annotation) if leaf is not type(None))
    path = getattr(leaf, "_model_klass", None)
    if path is not None:
        return "object", path.rpartition(".")[2]
    return _primitive(leaf), None


def _primitive(leaf: typing.Any) -> str:
    if leaf is bool:
        return "boolean"
    python, *marks = typing.get_args(leaf) or (leaf,)
    mark = type(marks[0]).__name__ if marks else ""
    if python is int:
        return "integer64" if mark == "Integer64" else "integer"
    if python is datetime:
        return "instant" if mark == "Instant" else "dateTime"
    return {Decimal: "decimal", date: "date", time: "time"}.get(python, "string")


def _required_primitives(model: typing.Any) -> set[str]:
    required = getattr(model, "get_required_fields", None)
    # The method reads nothing of the instance; `fhir.resources` has it there because primitives may be given
    # by an extension alone, which it checks after the fact.
    return {name for name, _ in required(None)} if required else set()


def _choices(model: typing.Any) -> dict[str, list[str]]:
    choices = getattr(model, "get_one_of_many_fields", None)
    return choices(None) if choices else {}


def _accepted_spellings(version: str, type_name: str, known: dict[str, Field]) -> dict[str, Field]:
    """The standard's `occurence[x]` (R5's MedicationAdministration), as everybody else spells it."""
    if (version, type_name) != ("R5", "MedicationAdministration"):
        return {}
    spelt = {
        name.replace("ccurence", "ccurrence"): field for name, field in known.items() if "ccurence" in name
    }
    return {
        name: Field(field.json_name, field.kind, field.type_name, field.is_list, is_required=False)
        for name, field in spelt.items()
    }


def reference_targets(version: str, resource_type: str, paths: frozenset[FieldPath]) -> frozenset[str]:
    """The resource types that the references along these field paths may point to; `Resource` is any type."""
    found: set[str] = set()
    for path in paths:
        type_name: str | None = resource_type
        for step in path:
            if type_name is None or step not in fields_of(version, type_name):
                break
            found |= _targets(version, type_name, step)
            type_name = fields_of(version, type_name)[step].type_name
    return frozenset(found)


def _targets(version: str, type_name: str, json_name: str) -> set[str]:
    if fields_of(version, type_name)[json_name].type_name not in ("Reference", "CodeableReference"):
        return set()
    fields = model_of(version, type_name).model_fields.values()
    extra = next((f.json_schema_extra for f in fields if f.alias == json_name), None)
    return set(extra.get("enum_reference_types", ())) if isinstance(extra, dict) else set()
