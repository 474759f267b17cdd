"""`repeat` as a list: an item, its children, theirs, in the order of the document.

A struct type can't be recursive, so what repeats is read as JSON, and opened level by level; every item is
then decoded to the fields that the view reads of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mappers.comparisons import named
from mappers.fhir_types import PRIMITIVES
from mappers.fhirpath import FhirPathError
from mappers.fields import Field, Repeat
from mappers.values import Context, Value, text
from mappers.view import ViewPath

# Deeper than any form that people fill in; data that go deeper fail, and say so.
DEEPEST = 64
TOO_DEEP = f"repeat finds items nested deeper than {DEEPEST}"


def repeated(
    context: Context, paths: tuple[ViewPath, ...], compiled: Callable[[Context, ViewPath], Value]
) -> Value:
    """The list of everything that the paths reach, and reach again from there.

    A name that the type of an item lacks gives nothing, as FHIRPath says, since items may differ in type.
    """
    lenient = replace(context, is_lenient=True)
    roots = [compiled(lenient, path) for path in paths]
    for root, path in zip(roots, paths, strict=True):
        check_goes_down(context, root, path)
    known = [root for root in roots if not root.is_absent]
    if not known:
        return replace(roots[0], sql="cast([] as INTEGER[])", is_list=True)
    item_type, elsewhere = known[0].type_name, known[0].elsewhere
    number = next(context.names)
    item, inner = f"_n{number}", context.fields.new("repeated")
    inner.is_json = True
    this = Value(f"{item}.node", item_type, field=inner, is_decoded=False, elsewhere=elsewhere)
    children = [child for path in paths if not (child := compiled(lenient.at(this), path)).is_absent]
    found = context.fields.new("item")
    found.is_json = True
    steps = Repeat(frozenset(step for c in children if c.field and (step := inner.path_to(c.field))))
    for root in known:
        if root.field:
            root.field.inner += [((steps,), found), ((steps,), inner)]
    nodes = opened(json_list(known), json_list(children), number)
    sql = context.fields.decode(nodes, found, is_list=True)
    return Value(sql, item_type, True, found, True, elsewhere)


def check_goes_down(context: Context, value: Value, path: ViewPath) -> None:
    """Raises FhirPathError for what has nothing below it, and for a path that stays where it is."""
    if value.choice or (value.type_name in PRIMITIVES and not value.is_absent):
        raise FhirPathError(f"repeat needs elements that have elements, and has {named(value)}", 1)
    if value.field is not None and value.field is context.this.field:
        raise FhirPathError("repeat would stay where it is for ever; name an element", 1)


def json_list(values: list[Value]) -> str:
    """The items of all values as one list of JSON."""
    for value in values:
        mark_json(value.field)
    parts = [v.sql if v.is_list else f"case when {v.sql} is null then [] else [{v.sql}] end" for v in values]
    casted = [f"cast({part} as JSON[])" for part in parts]
    return casted[0] if len(casted) == 1 else f"list_concat({', '.join(casted)})"


def mark_json(field: Field | None) -> None:
    if field is not None:
        field.is_json = True


def opened(roots: str, children: str, number: int) -> str:
    """SQL of the roots and all that is below, each item before its children."""
    item, each = f"_n{number}", f"_k{number}"
    closed_and_children = (
        f"list_concat([{{'node': {item}.node, 'is_open': false}}], "
        f"list_transform({children}, lambda {each}: {{'node': {each}, 'is_open': true}}))"
    )
    step = (
        f"lambda _all{number}, _one{number}: flatten(list_transform(_all{number}, "
        f"lambda {item}: case when {item}.is_open then {closed_and_children} else [{item}] end))"
    )
    rounds = (
        f"list_transform(range({DEEPEST}), lambda {each}: cast(null as STRUCT(node JSON, is_open BOOLEAN)[]))"
    )
    start = f"list_transform({roots}, lambda {each}: {{'node': {each}, 'is_open': true}})"
    everything = f"list_reduce({rounds}, {step}, coalesce({start}, []))"
    complaint = text(TOO_DEEP)
    node = f"case when {item}.is_open then error({complaint}) else {item}.node end"
    return f"list_transform({everything}, lambda {item}: {node})"
