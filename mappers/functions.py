"""FHIRPath's functions, and those of SQL on FHIR, as SQL.

A function takes the context, its source, the call and the compiler of arguments, and returns a `Value`.
`FUNCTIONS` lists them with the least and the most arguments they take.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace

from mappers import fhir_types
from mappers.comparisons import boolean, distinct_items, kind, named, number, single, wider_type
from mappers.fhirpath import Call, Expression, FhirPathError, Member
from mappers.fields import duckdb_type, of_resource_type
from mappers.values import (
    Context,
    Value,
    absent,
    decoded,
    first_of,
    is_some,
    map_items,
    not_here,
    some_types,
    text,
    to_list,
    without_nulls,
)

# The column in which the query holds the resource's own key, see `queries.py`.
OWN_KEY = '"$key"'

Compile = Callable[[Context, Expression], Value]
Function = Callable[[Context, Value, Call, Compile], Value]


def call(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    """The value of a function. Raises FhirPathError where it is unknown or can't be applied so."""
    if tree.name not in FUNCTIONS:
        near = difflib.get_close_matches(tree.name, sorted(FUNCTIONS), n=1)
        advice = f"did you mean {near[0]}()?" if near else f"known are {', '.join(sorted(FUNCTIONS))}"
        raise FhirPathError(f"there is no function {tree.name}(); {advice}", tree.column)
    function, least, most = FUNCTIONS[tree.name]
    if not least <= len(tree.arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise FhirPathError(f"{tree.name}() takes {wanted} arguments, not {len(tree.arguments)}", tree.column)
    if source.choice and source.elsewhere and tree.name not in CHOICE_FUNCTIONS:
        source = not_here(source)
    if source.choice and tree.name not in CHOICE_FUNCTIONS:
        choice = source.choice
        example = next(iter({**choice.here, **choice.elsewhere}))
        raise FhirPathError(
            f"{choice.name} may be of several types; write {choice.name}.ofType({example}).{tree.name}(…)",
            tree.column,
        )
    return function(context, source, tree, compile_tree)


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


# Filters and parts of a collection


def where(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    def criterion(one: Value, index: str) -> str:
        return boolean(compile_tree(context.at(one, index=index), tree.arguments[0]), tree.column)

    if source.is_absent:
        criterion(source, "0")
        return source
    if not source.is_list:
        # By a list, since SQL that holds its source twice would double with each step of a path.
        whole = decoded(context, source)
        one = f"_e{next(context.names)}"
        kept = f"list_filter([{whole.sql}], lambda {one}: {criterion(replace(whole, sql=one), '0')})"
        return replace(whole, sql=f"{kept}[1]")
    sql = map_items(context, source, criterion, sql_function="list_filter")
    return replace(decoded(context, source), sql=sql)


def select(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    found: list[Value] = []

    def projection(one: Value, index: str) -> str:
        found.append(compile_tree(context.at(one, index=index), tree.arguments[0]))
        return found[0].sql

    if not source.is_list or source.is_absent:
        return compile_tree(context.at(source, index="0"), tree.arguments[0])
    sql = map_items(context, source, projection)
    flat = f"flatten({sql})" if found[0].is_list else without_nulls(context, sql)
    return replace(found[0], sql=flat, is_list=True, parent=None)


def of_type(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    from mappers.expressions import (
        read,
    )  # a function asks for an element, and an element is a path of functions

    name = type_argument(tree)
    choice = source.choice
    if source.type_name == "Resource" and source.field is not None:
        return _resources_of_type(context, source, name, tree)
    if choice is None:
        return _own_type(source, name, tree)
    if name == source.elsewhere:
        return not_here(source)
    here, elsewhere = choice.here.get(name), choice.elsewhere.get(name)
    if here and not choice.parent.is_absent:
        return read(context, choice.parent, here, elsewhere.type_name if elsewhere else None)
    if here or elsewhere:
        return absent(
            here.type_name if here else None,
            is_list=choice.parent.is_list,
            elsewhere=elsewhere.type_name if elsewhere else None,
        )
    known = list({**choice.here, **choice.elsewhere})
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"it may be {some_types(choice)}"
    raise FhirPathError(f"{choice.name} is never of type {name}; {advice}", tree.arguments[0].column)


def _resources_of_type(context: Context, source: Value, name: str, tree: Call) -> Value:
    """Those of resources of any type that are of this one; they are read as JSON, since their types differ."""
    field = source.field
    if field is None or source.is_decoded:
        raise FhirPathError(
            f"{tree.name}({name}) stands right behind the resources, before where() and the like", tree.column
        )
    here, elsewhere = (fhir_types.is_resource(v, name) for v in (context.version, context.other_version))
    if not (here or elsewhere):
        message = f"{name} is no resource type; write it as in FHIR, as in {tree.name}(Patient)"
        raise FhirPathError(message, tree.arguments[0].column)
    field.is_json = True
    found = context.fields.new(name)
    found.is_json = True
    field.inner.append(((of_resource_type(name),), found))
    one = f"_e{next(context.names)}"
    kept = f"lambda {one}: json_extract_string({one}, '$.resourceType') = {text(name)}"
    whole = to_list(source)
    sql = context.fields.decode(f"list_filter({whole}, {kept})", found, is_list=True)
    if not here:
        return absent(is_list=True, elsewhere=name)
    return Value(sql, name, True, found, True, name if elsewhere else None)


def _own_type(source: Value, name: str, tree: Call) -> Value:
    if source.is_absent or source.type_name == name:
        return source
    if name in source.other_choice:
        return absent(is_list=source.is_list, elsewhere=name)
    known = source.type_name or source.elsewhere
    raise FhirPathError(f"is always of type {known}, never {name}; leave out {tree.name}()", tree.column)


def extension(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    from mappers.expressions import member

    url = text_argument(context, tree, compile_tree)
    found = member(context, source, "extension", tree.column)
    if found.is_absent:
        return found

    def is_wanted(one: Value, _: str) -> str:
        return f"{member(context, one, 'url', tree.column).sql} = {url}"

    sql = map_items(context, found, is_wanted, sql_function="list_filter")
    return replace(decoded(context, found), sql=sql)


def first(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    return replace(source, is_list=False) if source.is_absent else first_of(source)


def last(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    if source.is_absent or not source.is_list:
        return replace(source, is_list=False)
    return replace(source, sql=f"({source.sql})[-1]", is_list=False)


def only(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    return single(source, tree.column)


def _slice(source: Value, start: str, end: str) -> Value:
    if source.is_absent:
        return source
    return replace(source, sql=f"({to_list(source)})[{start}:{end}]", is_list=True)


def tail(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    return _slice(source, "2", "")


def skip(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    return _slice(source, f"greatest({integer_argument(context, tree, compile_tree)}, 0) + 1", "")


def take(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    return _slice(source, "1", f"greatest({integer_argument(context, tree, compile_tree)}, 0)")


def distinct(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    if source.is_absent:
        return source
    whole = decoded(context, source)
    return replace(whole, sql=distinct_items(context, to_list(whole)), is_list=True)


# Questions about a collection


def _some(context: Context, source: Value) -> str:
    """As `is_some`, also for a choice whose type is not said."""
    from mappers.expressions import read

    if source.choice is None:
        return is_some(source)
    if source.choice.parent.is_absent or not source.choice.here:
        return "false"
    options = [read(context, source.choice.parent, e, None) for e in source.choice.here.values()]
    return f"({' or '.join(is_some(option) for option in options)})"


def exists(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    chosen = where(context, source, tree, compile_tree) if tree.arguments else source
    return Value(_some(context, chosen), "boolean")


def empty(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    return Value(f"(not {_some(context, source)})", "boolean")


def every(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    def fails(one: Value, index: str) -> str:
        criterion = compile_tree(context.at(one, index=index), tree.arguments[0])
        return f"({boolean(criterion, tree.column)}) is not true"

    if source.is_absent:
        return Value("true", "boolean")
    if not source.is_list:
        whole = decoded(context, source)
        return Value(f"(not ({whole.sql} is not null and {fails(whole, '0')}))", "boolean")
    failing = map_items(context, source, fails, sql_function="list_filter")
    return Value(f"(coalesce(len({failing}), 0) = 0)", "boolean")


def count(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    if source.is_absent:
        return Value("0", "integer")
    if source.is_list:
        return Value(f"coalesce(len({source.sql}), 0)", "integer")
    return Value(f"cast({source.sql} is not null as INTEGER)", "integer")


def is_distinct(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    if source.is_absent:
        return Value("true", "boolean")
    items = to_list(decoded(context, source))
    return Value(f"(len({items}) = len(list_distinct({items})))", "boolean")


def negation(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    return Value(f"(not {boolean(source, tree.column)})", "boolean")


def truth_function(sql_function: str, of_nothing: str) -> Function:
    def function(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
        if source.is_absent:
            return Value(of_nothing, "boolean")
        if kind(source) != "boolean":
            raise FhirPathError(f"{tree.name}() needs booleans and has {named(source)}", tree.column)
        return Value(f"coalesce({sql_function}({to_list(source)}), {of_nothing})", "boolean")

    return function


def if_else(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    chosen = context.at(source) if not source.is_list else context
    criterion = boolean(compile_tree(chosen, tree.arguments[0]), tree.column)
    branches = [compile_tree(chosen, argument) for argument in tree.arguments[1:]]
    here = [branch for branch in branches if not branch.is_absent]
    known, other = (here or branches)[0], (here or branches)[-1]
    if kind(known) != kind(other):
        raise FhirPathError(f"iif() gives {named(known)} or {named(other)}; give both one type", tree.column)
    if kind(known) == "object" and here:
        raise FhirPathError(
            f"iif() gives {named(known)}, an object; end its paths at an element", tree.column
        )
    is_list = any(branch.is_list for branch in branches)
    parts = [to_list(b) if is_list and not b.is_absent else b.sql for b in branches]
    otherwise = parts[1] if len(parts) > 1 else "null"
    sql = f"case when {criterion} then {parts[0]} else {otherwise} end"
    return Value(sql, wider_type(known, other), is_list)


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


def has_value(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    one = is_some(source) if source.is_primitive else "false"
    return Value(
        f"({one} and len({source.sql}) = 1)" if source.is_list and one != "false" else one, "boolean"
    )


# Functions that SQL on FHIR adds


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


def resource_key(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    if source is not context.resource:
        raise FhirPathError(
            "getResourceKey() belongs to the resource itself, at the path's beginning", tree.column
        )
    return Value(OWN_KEY, "string")


def reference_key(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    wanted = type_argument(tree) if tree.arguments else None
    if wanted and not any(
        fhir_types.is_resource(v, wanted) for v in (context.version, context.other_version)
    ):
        message = f"{wanted} is no resource type; write it as in FHIR, as in {tree.name}(Patient)"
        raise FhirPathError(message, tree.arguments[0].column)
    if source.is_absent:
        return absent("string", is_list=source.is_list)
    if source.type_name != "Reference":
        raise FhirPathError(f"getReferenceKey() needs a Reference and has {named(source)}", tree.column)
    if not source.is_list:
        return Value(_one_reference_key(context, decoded(context, source), wanted), "string")
    keys = map_items(context, source, lambda one, _: _one_reference_key(context, one, wanted))
    return Value(without_nulls(context, keys), "string", is_list=True)


def _one_reference_key(context: Context, one: Value, wanted: str | None) -> str:
    from mappers.expressions import member

    def part(of: Value, name: str) -> Value:
        return member(context, of, name, 1)

    identifier = part(one, "identifier")
    parts = [part(one, "reference"), part(one, "type"), part(identifier, "system"), part(identifier, "value")]
    arguments = ", ".join([*(p.sql for p in parts), OWN_KEY])
    key = f"reference_key({arguments})"
    return f"key_of_type({key}, {parts[1].sql}, {text(wanted)})" if wanted else key


CHOICE_FUNCTIONS = frozenset({"ofType", "as", "exists", "empty"})

FUNCTIONS: dict[str, tuple[Function, int, int]] = {
    "where": (where, 1, 1),
    "select": (select, 1, 1),
    "ofType": (of_type, 1, 1),
    "as": (of_type, 1, 1),
    "extension": (extension, 1, 1),
    "first": (first, 0, 0),
    "last": (last, 0, 0),
    "single": (only, 0, 0),
    "tail": (tail, 0, 0),
    "skip": (skip, 1, 1),
    "take": (take, 1, 1),
    "distinct": (distinct, 0, 0),
    "exists": (exists, 0, 1),
    "empty": (empty, 0, 0),
    "all": (every, 1, 1),
    "allTrue": (truth_function("list_bool_and", "true"), 0, 0),
    "anyTrue": (truth_function("list_bool_or", "false"), 0, 0),
    "count": (count, 0, 0),
    "isDistinct": (is_distinct, 0, 0),
    "hasValue": (has_value, 0, 0),
    "not": (negation, 0, 0),
    "iif": (if_else, 2, 3),
    "join": (join, 0, 1),
    "length": (text_function("length({0})", "integer"), 0, 0),
    "upper": (text_function("upper({0})", "string"), 0, 0),
    "lower": (text_function("lower({0})", "string"), 0, 0),
    "trim": (text_function("trim({0})", "string"), 0, 0),
    "startsWith": (text_function("starts_with({0}, {1})", "boolean", "t"), 1, 1),
    "endsWith": (text_function("ends_with({0}, {1})", "boolean", "t"), 1, 1),
    "contains": (text_function("contains({0}, {1})", "boolean", "t"), 1, 1),
    "matches": (text_function("regexp_matches({0}, {1}, 's')", "boolean", "t"), 1, 1),
    "indexOf": (text_function("(instr({0}, {1}) - 1)", "integer", "t"), 1, 1),
    "replace": (text_function("replace({0}, {1}, {2})", "string", "tt"), 2, 2),
    "substring": (substring, 1, 2),
    "abs": (number_function("abs"), 0, 0),
    "ceiling": (number_function("ceil", "integer"), 0, 0),
    "floor": (number_function("floor", "integer"), 0, 0),
    "truncate": (number_function("trunc", "integer"), 0, 0),
    "round": (number_function("round", "decimal"), 0, 1),
    "sqrt": (square_root, 0, 0),
    "toString": (conversion("string"), 0, 0),
    "toInteger": (conversion("integer"), 0, 0),
    "toDecimal": (conversion("decimal"), 0, 0),
    "toBoolean": (conversion("boolean"), 0, 0),
    "lowBoundary": (boundary("low_boundary"), 0, 0),
    "highBoundary": (boundary("high_boundary"), 0, 0),
    "getResourceKey": (resource_key, 0, 0),
    "getReferenceKey": (reference_key, 0, 1),
}
