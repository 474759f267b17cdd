"""A call of a FHIRPath function: what compiles one, and its arguments."""

from __future__ import annotations

from collections.abc import Callable

from mappers import fhir_types
from mappers.comparisons import kind, named
from mappers.fhirpath import Call, Expression, FhirPathError, Member
from mappers.values import (
    Context,
    Value,
)

Compile = Callable[[Context, Expression], Value]
Function = Callable[[Context, Value, Call, Compile], Value]


def type_argument(tree: Call) -> str:
    argument = tree.arguments[0]
    if isinstance(argument, Member):
        return argument.name
    raise FhirPathError(f"{tree.name}() takes the name of a type, as in {tree.name}(Quantity)", tree.column)


def text_argument(context: Context, tree: Call, compile_tree: Compile, number_of: int = 0) -> str:
    value = compile_tree(context, tree.arguments[number_of])
    if kind(value) != "text" or value.is_list:
        raise FhirPathError(f"{tree.name}() takes a text, not {named(value)}", tree.column)
    return value.sql


def integer_argument(context: Context, tree: Call, compile_tree: Compile, number_of: int = 0) -> str:
    value = compile_tree(context, tree.arguments[number_of])
    if value.type_name not in fhir_types.INTEGERS or value.is_list:
        raise FhirPathError(f"{tree.name}() takes a whole number, not {named(value)}", tree.column)
    return value.sql
