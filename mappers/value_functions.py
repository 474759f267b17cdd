"""FHIRPath's functions of one value as SQL: texts, numbers, conversions, boundaries."""

from __future__ import annotations

from dataclasses import replace

from mappers import fhir_types
from mappers.calls import Compile, Function, integer_argument, text_argument
from mappers.comparisons import kind, named, number, single
from mappers.fhirpath import Call, FhirPathError
from mappers.fields import duckdb_type
from mappers.values import (
    Context,
    Value,
    absent,
    to_list,
)

# Text


def join(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    separator = text_argument(context, tree, compile_tree) if tree.arguments else "''"
    if source.is_absent:
        return absent("string")
    if kind(source) not in ("text", "date", "time"):
        raise FhirPathError(f"join() needs texts and has {named(source)}", tree.column)
    items = to_list(source)
    return Value(f"case when len({items}) > 0 then array_to_string({items}, {separator}) end", "string")


def text_function(template: str, result: str, argument_kinds: str = "") -> Function:
    """A function of one text: `{0}` is the text, `{1}` and on the arguments (t text, i whole number)."""

    def function(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
        if source.is_absent:
            return absent(result)
        if kind(source) not in ("text", "date", "time"):
            raise FhirPathError(f"{tree.name}() needs a text and has {named(source)}", tree.column)
        readers = {"t": text_argument, "i": integer_argument}
        arguments = [
            readers[argument_kinds[n]](context, tree, compile_tree, n) for n in range(len(tree.arguments))
        ]
        return Value(template.format(single(source, tree.column).sql, *arguments), result)

    return function


def substring(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    start = integer_argument(context, tree, compile_tree)
    length = f", {integer_argument(context, tree, compile_tree, 1)}" if len(tree.arguments) > 1 else ""
    template = (
        f"case when {start} between 0 and length({{0}}) - 1 then substring({{0}}, {start} + 1{length}) end"
    )
    return text_function(template, "string")(context, source, replace(tree, arguments=()), compile_tree)


# Numbers and conversions


def number_function(sql_function: str, result: str | None = None) -> Function:
    def function(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
        one = number(context, source, tree.column)
        arguments = [integer_argument(context, tree, compile_tree, n) for n in range(len(tree.arguments))]
        type_name = result or one.type_name
        sql = f"{sql_function}({', '.join([one.sql, *arguments])})"
        return Value(f"try_cast({sql} as INTEGER)" if result == "integer" else sql, type_name)

    return function


def square_root(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    one = number(context, source, tree.column)
    return Value(f"case when {one.sql} >= 0 then sqrt({one.sql}) end", "decimal")


# What a text, a truth or a number is as a value of another type; anything else is empty.
TRUE_TEXTS, FALSE_TEXTS = "('true', 't', 'yes', 'y', '1', '1.0')", "('false', 'f', 'no', 'n', '0', '0.0')"
CONVERSIONS: dict[str, dict[str, str]] = {
    "integer": {
        "text": r"case when regexp_full_match({0}, '[+-]?\d+') then try_cast({0} as INTEGER) end",
        "boolean": "cast({0} as INTEGER)",
        "integer": "{0}",
    },
    "decimal": {
        "text": r"case when regexp_full_match({0}, '[+-]?\d+(\.\d+)?') then try_cast({0} as DOUBLE) end",
        "boolean": "cast({0} as DOUBLE)",
        "integer": "cast({0} as DOUBLE)",
        "decimal": "cast({0} as DOUBLE)",
    },
    "boolean": {
        "text": f"case when lower({{0}}) in {TRUE_TEXTS} then true when lower({{0}}) in {FALSE_TEXTS} then false end",
        "boolean": "{0}",
        "integer": "case {0} when 1 then true when 0 then false end",
        "decimal": "case cast({0} as DOUBLE) when 1 then true when 0 then false end",
    },
    "string": dict.fromkeys(
        ("text", "boolean", "integer", "decimal", "date", "time"), "cast({0} as VARCHAR)"
    ),
}


def conversion(result: str) -> Function:
    def function(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
        if source.is_absent:
            return absent(result)
        family = kind(source)
        if family == "object":
            raise FhirPathError(f"{tree.name}() needs a primitive and has {named(source)}", tree.column)
        one = single(source, tree.column)
        if family == "number":
            family = "decimal" if one.type_name == "decimal" else "integer"
        if result == "string" and family == "decimal" and one.field is not None:
            # The text is the number as it was written, 7 or 7.0.
            one.field.is_exact = True
        template = CONVERSIONS[result].get(family, "cast(null as {type})")
        return Value(template.format(one.sql, type=duckdb_type(result)), result)

    return function


# Type → the macro's shape, and the result's type where it is another.
BOUNDED: dict[str | None, tuple[str, str | None]] = {
    "decimal": ("decimal", None),
    **dict.fromkeys(fhir_types.INTEGERS, ("decimal", "decimal")),
    "date": ("date", None),
    "dateTime": ("datetime", None),
    "instant": ("datetime", None),
    "time": ("time", None),
}


def boundary(side: str) -> Function:
    """The lowest or highest value that the written precision allows; a decimal needs its text for it."""

    def function(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
        if source.is_absent:
            return absent(source.type_name)
        one = single(source, tree.column)
        if one.type_name not in BOUNDED:
            raise FhirPathError(
                f"{tree.name}() needs a decimal, a date or a time, and has {named(source)}", tree.column
            )
        if one.type_name == "decimal" and one.field is not None:
            one.field.is_exact = True
        shape, result = BOUNDED[one.type_name]
        return Value(f"{side}_{shape}(cast({one.sql} as VARCHAR))", result or one.type_name)

    return function
