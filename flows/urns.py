"""What the `urn:` of a reference means within the bundle, or file, that it came in.

Rows hold keys of references; columns that hold them are found in the view. The aliases are those of one place
each, its scope: what another place calls by the same name is something else.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import duckdb

from mappers.fhirpath import Call, Member
from mappers.fields import quoted
from mappers.values import text
from mappers.view import View

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
    """The columns whose paths ask for a reference's key, and the type that each asks for."""
    found = {}
    for column in view.all_columns():
        calls = list(_key_calls(column.path.tree))
        if calls:
            arguments = [argument for call in calls for argument in call.arguments]
            wanted = {argument.name for argument in arguments if isinstance(argument, Member)}
            found[column.name] = wanted.pop() if len(wanted) == 1 else None
    return found


def _key_calls(tree: Any) -> Iterator[Call]:
    if isinstance(tree, Call) and tree.name == "getReferenceKey":
        yield tree
    if isinstance(tree, tuple):
        for item in tree:
            yield from _key_calls(item)
    elif is_dataclass(tree):
        for field in fields(tree):
            yield from _key_calls(getattr(tree, field.name))
