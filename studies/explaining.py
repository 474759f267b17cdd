"""Turns what pydantic says about a protocol into lines that a person who wrote YAML understands."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from studies.marked_yaml import KeyPath, MarkedYaml
from studies.nearest import did_you_mean
from studies.protocol import Protocol

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


def explain(error: ValidationError, source: MarkedYaml) -> list[str]:
    """One line an error, by line of the file; what is missing last, as it often follows from a typo."""
    details = error.errors(include_url=False, include_input=True)
    details.sort(key=lambda one: (one["type"] == "missing", source.line(_path(one))))
    return [f"{source.where(_path(one))}: {_message(one)}" for one in details]


def problems_of(error: ValidationError) -> list[tuple[KeyPath, str]]:
    """Each error's key, and what is wrong with it and what to do."""
    return [(_path(one), _message(one)) for one in error.errors(include_url=False, include_input=True)]


def _path(error: ErrorDetails) -> KeyPath:
    return tuple(part for part in error["loc"] if part != "[key]")


def _message(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        path = _path(error)
        return f"unknown key; {did_you_mean(str(path[-1]), _keys(path[:-1]))}"
    if kind == "missing":
        return "missing; add this key"
    if error["loc"][-1] == "[key]" or (kind == "string_pattern_mismatch" and "a-z" in context["pattern"]):
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
    return [field.alias or name for name, field in kind.model_fields.items()]


def _inner(kind: Any, part: str | int) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        by_key = {field.alias or name: field for name, field in kind.model_fields.items()}
        return _section(by_key[str(part)].annotation)
    return _section(kind)


def _section(annotation: Any) -> Any:
    """The model inside `Model | None`, `list[Model]` or `dict[str, Model]`."""
    models = [inner for inner in _unwrapped(annotation) if isinstance(inner, type)]
    return next(inner for inner in models if issubclass(inner, BaseModel))


def _unwrapped(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [annotation] if not inner else [found for one in inner for found in _unwrapped(one)]
