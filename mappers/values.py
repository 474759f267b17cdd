"""What a FHIRPath has come to, part by part: a piece of SQL with its FHIR type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from mappers.fhir_types import PRIMITIVES, Element
from mappers.fields import Field, Fields, quoted

SIMPLE = re.compile(r'[\w."$\[\]]+')


@dataclass(frozen=True)
class Choice:
    """An element such as `value[x]` before `ofType` has said which type is meant."""

    parent: Value
    name: str
    here: Mapping[str, Element]
    elsewhere: Mapping[str, Element]


@dataclass(frozen=True)
class Value:
    """A FHIRPath collection as SQL.

    A single is a scalar whose NULL is the empty collection; a list is a DuckDB list, where NULL and [] are
    both empty. `type_name` is None where nothing is known of the type. `elsewhere` is the type that the
    same path has in the other FHIR version, and `other_choice` its types where it is a choice there only; a
    path that only the other version knows is `is_absent`: always empty. `mapped` is (sql, list, lambda's
    name, lambda's body) of a list that is still the `sql` it was made as, so that the path's next step goes
    into the same lambda.
    """

    sql: str
    type_name: str | None
    is_list: bool = False
    field: Field | None = None
    is_decoded: bool = True
    elsewhere: str | None = None
    is_absent: bool = False
    choice: Choice | None = None
    other_choice: frozenset[str] = frozenset()
    parent: Value | None = None
    mapped: tuple[str, str, str, str] | None = None

    @property
    def is_primitive(self) -> bool:
        return self.type_name in PRIMITIVES


@dataclass(frozen=True)
class Context:
    """Where a FHIRPath is evaluated."""

    version: str
    other_version: str
    this: Value
    resource: Value
    row_index: str
    constants: Mapping[str, Value]
    fields: Fields
    names: Iterator[int] = field(default_factory=lambda: count(1))
    index: str | None = None
    is_lenient: bool = False

    def at(self, this: Value, *, index: str | None = None) -> Context:
        return replace(self, this=this, index=index)


def some_types(choice: Choice) -> str:
    """The first of the types that the choice may take."""
    types = list({**choice.here, **choice.elsewhere})
    return ", ".join(types[:6]) + (" …" if len(types) > 6 else "")


def text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def absent(type_name: str | None = None, *, is_list: bool = False, elsewhere: str | None = None) -> Value:
    """The empty collection."""
    return Value("null", type_name, is_list=is_list, elsewhere=elsewhere, is_absent=True)


def not_here(value: Value) -> Value:
    """A choice of this version as what it is in the other only: the empty collection."""
    return absent(is_list=value.is_list, elsewhere=value.elsewhere)


def get(sql: str, name: str) -> str:
    """The field of a struct."""
    return f"{sql if SIMPLE.fullmatch(sql) else f'({sql})'}.{quoted(name)}"


def decoded(context: Context, value: Value) -> Value:
    """The value as a struct, where it may have been read as JSON."""
    if value.is_decoded or value.field is None:
        return value
    sql = context.fields.decode(value.sql, value.field, is_list=value.is_list)
    return replace(value, sql=sql, is_decoded=True)


def map_items(
    context: Context,
    value: Value,
    function: Callable[[Value, str], str],
    *,
    sql_function: str = "list_transform",
) -> str:
    """SQL that applies `function` (of the item and its index from 0) to each item of a list."""
    number = next(context.names)
    name, position = f"_e{number}", f"_i{number}"
    whole = decoded(context, value)
    body = function(replace(whole, sql=name, is_list=False), f"({position} - 1)")
    parameters = f"{name}, {position}" if re.search(rf"\b{position}\b", body) else name
    return f"{sql_function}({whole.sql}, lambda {parameters}: {body})"


def without_nulls(context: Context, sql: str) -> str:
    name = f"_e{next(context.names)}"
    return f"list_filter({sql}, lambda {name}: {name} is not null)"


def to_list(value: Value) -> str:
    """SQL of the value as a list, never NULL."""
    if value.is_list:
        return f"coalesce({value.sql}, [])"
    return f"case when {value.sql} is null then [] else [{value.sql}] end"


def first_of(value: Value) -> Value:
    if not value.is_list:
        return value
    sql = value.sql if SIMPLE.fullmatch(value.sql) or value.sql.endswith(")") else f"({value.sql})"
    return replace(value, sql=f"{sql}[1]", is_list=False)


def only_of(value: Value, complaint: str) -> Value:
    """The single item of a list; the query fails with `complaint` where there are more."""
    if not value.is_list or value.is_absent:
        return replace(value, is_list=False)
    item = first_of(value)
    sql = f"case when len({value.sql}) > 1 then error({text(complaint)}) else {item.sql} end"
    return replace(item, sql=sql)


def is_some(value: Value) -> str:
    """SQL that is true where the collection has an item, false where it is empty; never NULL."""
    if value.is_absent:
        return "false"
    if value.is_list:
        return f"coalesce(len({value.sql}) > 0, false)"
    return f"({value.sql} is not null)"
