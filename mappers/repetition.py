"""`repeat` as a list: an item, its children, theirs, in the order of the document.

A struct type can't be recursive, so what repeats is read as JSON, and opened level by level; every item is
then decoded to the fields that the view reads of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mappers.fields import Field
from mappers.values import Context, Value, absent, text
from mappers.view import ViewPath

# Deeper than any form that people fill in; data that go deeper fail, and say so.
DEEPEST = 64


def repeated(
    context: Context, paths: tuple[ViewPath, ...], compiled: Callable[[Context, ViewPath], Value]
) -> Value:
    """The list of everything that the paths reach, and reach again from there.

    A name that the type of an item lacks gives nothing, as FHIRPath says, since items may differ in type.
    """
    lenient = replace(context, is_lenient=True)
    roots = [compiled(lenient, path) for path in paths]
    known = [root for root in roots if not root.is_absent]
    if not known:
        return replace(roots[0], sql="cast([] as INTEGER[])", is_list=True)
    item_type, elsewhere = known[0].type_name, known[0].elsewhere
    number = next(context.names)
    item, inner = f"_n{number}", context.fields.new("repeated")
    inner.is_json = True
    this = Value(f"{item}.node", item_type, field=inner, is_decoded=False, elsewhere=elsewhere)
    children = [compiled(lenient.at(this), path) for path in paths]
    found = context.fields.new("item")
    found.is_json = True
    nodes = opened(json_list(known), json_list([c for c in children if not c.is_absent]), number)
    sql = context.fields.decode(nodes, found, is_list=True)
    return Value(sql, item_type, True, found, True, elsewhere)


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
    complaint = text(f"repeat finds items nested deeper than {DEEPEST}")
    node = f"case when {item}.is_open then error({complaint}) else {item}.node end"
    return f"list_transform({everything}, lambda {item}: {node})"


__all__ = ["absent", "repeated"]
