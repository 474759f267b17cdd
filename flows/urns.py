"""What the `urn:` of a reference means within the bundle, or file, that it came in.

Rows hold keys of references; columns that hold them are found in the view. The aliases are those of one place
each, its scope: what another place calls by the same name is something else.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import duckdb

from mappers.fhirpath import Call, Member
from mappers.fields import quoted
from mappers.values import text
from mappers.view import Select, View, ViewColumn

URNS_SQL = Path(__file__).with_name("urns.sql")


def know_aliases(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the aliases in the relation `noted_alias` (scope, alias, key) known to `resolved_keys`."""
    connection.execute(URNS_SQL.read_text(encoding="utf-8"))


def resolved_keys(view: View, kinds: dict[str, str], scope: str) -> dict[str, str]:
    """SQL for the columns that hold keys of references, with what they mean in the row's scope.

    `kinds` are the DuckDB types of the view's columns, `scope` is SQL.
    """
    found = {}
    for name, wanted in _key_columns(view).items():
        macro = {"VARCHAR": "resolved", "VARCHAR[]": "resolved_all"}.get(kinds[name])
        if macro:
            type_name = text(wanted) if wanted else "null"
            found[name] = f"{macro}({scope}, {quoted(name)}, {type_name})"
    return found


def _key_columns(view: View) -> dict[str, str | None]:
    """The columns whose paths ask for a reference's key, and the type that all of a column's paths ask for."""
    wanted: dict[str, set[str | None]] = defaultdict(set)
    for column in _every_column(view.selects):
        for call in _key_calls(column.path.tree):
            types = [argument.name for argument in call.arguments if isinstance(argument, Member)]
            wanted[column.name].update(types or (None,))
    return {name: types.pop() if len(types) == 1 else None for name, types in wanted.items()}


def _every_column(selects: Iterable[Select]) -> Iterator[ViewColumn]:
    """The columns of all selects, those of every branch of a union among them."""
    for select in selects:
        yield from select.columns
        yield from _every_column((*select.selects, *select.union_all))


def _key_calls(tree: Any) -> Iterator[Call]:
    if isinstance(tree, Call) and tree.name == "getReferenceKey":
        yield tree
    if isinstance(tree, tuple):
        for item in tree:
            yield from _key_calls(item)
    elif is_dataclass(tree):
        for field in fields(tree):
            yield from _key_calls(getattr(tree, field.name))
