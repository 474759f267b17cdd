"""Turns what pydantic says about a protocol into lines that a person who wrote YAML understands."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import Protocol
from studies.protocol_files import ProtocolFiles

WHAT_TO_DO = {
    "string_type": "not text; write it in quotes",
    "int_type": "not a whole number; write one without quotes",
    "int_from_float": "not a whole number; write one without a fraction",
    "float_type": "not a number; write one without quotes",
    "finite_number": "not a finite number; write one",
    "bool_type": "neither true nor false; write one of them",
    "list_type": "not a list; write [a, b], or a line `- a` for each",
    "dict_type": "not a section; write `key: value` lines under it",
    "model_type": "not a section; write `key: value` lines under it",
    "model_attributes_type": "not a section; write `key: value` lines under it",
    "too_short": "an empty list; write at least one item",
}


NAME = r"^[a-z][a-z0-9_]*$"
KINDS = ("bool", "float")


def explain(error: ValidationError, source: ProtocolFiles) -> list[str]:
    """One line an error, by line of the file; what is missing last, as it often follows from a typo."""
    details = error.errors(include_url=False, include_input=True)
    details.sort(key=lambda one: (one["type"] == "missing", source.order(_path(one))))
    return [f"{source.where(_path(one))}: {_message(one)}" for one in details]


def problems_of(error: ValidationError) -> list[tuple[KeyPath, str]]:
    """Each error's key, and what is wrong with it and what to do."""
    return [(_path(one), _message(one)) for one in error.errors(include_url=False, include_input=True)]


def _path(error: ErrorDetails) -> KeyPath:
    # Where a key takes several kinds of values, pydantic names the kind that it tried.
    return tuple(
        part
        for part in error["loc"]
        if part not in ("[key]", *KINDS) and not str(part).startswith("literal[")
    )


def _message(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        path = _path(error)
        return f"unknown key; {did_you_mean(str(path[-1]), _keys(path[:-1]))}"
    if kind == "missing":
        return "missing; add this key"
    if error["loc"][-1] == "[key]" or context.get("pattern") == NAME:
        return "not a name; write small letters, digits and _, beginning with a letter"
    if kind == "string_pattern_mismatch":
        return f"doesn't have the form {context['pattern']}; write it so"
    if kind == "literal_error":
        return _not_one_of(str(error["input"]), str(context["expected"]))
    if kind in WHAT_TO_DO:
        return WHAT_TO_DO[kind]
    return f"{error['msg'][0].lower()}{error['msg'][1:]}; change the value"


def _not_one_of(written: str, expected: str) -> str:
    allowed = expected.replace(" or ", ", ").replace("'", "").split(", ")
    near = did_you_mean(written, allowed)
    hint = near if near.startswith("did") else "choose one"
    return f"not one of {', '.join(allowed)}; {hint}"


def _keys(path: KeyPath) -> list[str]:
    """The keys of the section at `path`."""
    kind: Any = Protocol
    for part in path:
        kind = _inner(kind, part)
    return [field.alias or name for name, field in _model(kind).model_fields.items()]


def _inner(kind: Any, part: str | int) -> Any:
    """The kind of what stands under a key of a section or mapping, or in a list."""
    for one in _unwrapped(kind):
        if get_origin(one) in (list, dict):
            return get_args(one)[-1]
    fields = {field.alias or name: field for name, field in _model(kind).model_fields.items()}
    return fields[str(part)].annotation


def _model(kind: Any) -> type[BaseModel]:
    return next(one for one in _unwrapped(kind) if isinstance(one, type) and issubclass(one, BaseModel))


def _unwrapped(kind: Any) -> list[Any]:
    """The kinds that a value may have, without what only restricts or describes them."""
    if get_origin(kind) is Annotated:
        return _unwrapped(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [inner for one in get_args(kind) for inner in _unwrapped(one)]
    return [kind]
