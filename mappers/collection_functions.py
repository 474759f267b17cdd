"""FHIRPath's functions of collections as SQL: filters, parts, types, questions, choices between two."""

from __future__ import annotations

import difflib
from dataclasses import replace

from mappers import fhir_types
from mappers.calls import Compile, Function, integer_argument, text_argument, type_argument
from mappers.comparisons import boolean, distinct_items, kind, named, single, wider_type
from mappers.fhirpath import Call, FhirPathError
from mappers.fields import of_resource_type
from mappers.values import (
    SIMPLE,
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

# Filters and parts of a collection


def where(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    def criterion(one: Value, index: str) -> str:
        return boolean(compile_tree(context.at(one, index=index), tree.arguments[0]), tree.column)

    if source.is_absent:
        criterion(source, "0")
        return source
    if not source.is_list:
        whole = decoded(context, source)
        if SIMPLE.fullmatch(whole.sql):
            return replace(whole, sql=f"case when {criterion(whole, '0')} then {whole.sql} end")
        # By a list, since SQL that holds its source twice would double with each step of a path.
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
    here, elsewhere = choice.here.get(name), choice.elsewhere.get(name)
    if here and not choice.parent.is_absent:
        # Elsewhere it may be no choice, and of this type: what is here counts all the same.
        of_this_type = name if name == source.elsewhere else None
        return read(context, choice.parent, here, elsewhere.type_name if elsewhere else of_this_type)
    if name == source.elsewhere:
        return not_here(source)
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


def has_value(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    one = is_some(source) if source.is_primitive else "false"
    return Value(
        f"({one} and len({source.sql}) = 1)" if source.is_list and one != "false" else one, "boolean"
    )
