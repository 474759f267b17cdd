"""Orders and builds the models of a folder: each `*.sql` file is one bare select, its name is the table's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path

from duckdb import DuckDBPyConnection

VIEW_MARK = "-- view"
PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")
SCHEMA = re.compile(r"^[a-z][a-z0-9_]*$")


class ModelError(Exception):
    """A model that can't be ordered: not one select, or one that reads itself by way of others."""


@dataclass(frozen=True)
class Model:
    """A model as written: where it goes, its select, the parameters it names and the models it reads."""

    schema: str
    name: str
    sql: str
    is_view: bool
    parameters: frozenset[str]
    reads: frozenset[str]


@dataclass(frozen=True)
class ModelBuild:
    """A model that was built, with the number of its rows (None for a view) and the sha256 of its text."""

    schema: str
    name: str
    rows: int | None
    digest: str


def build_models(
    con: DuckDBPyConnection, folder: Path, schema: str, *, parameters: Mapping[str, object]
) -> list[ModelBuild]:
    """Builds every `*.sql` of `folder` in `schema`, each after those that it reads, and returns what was built.

    An unqualified name is a table of `schema`, else of `clinical`. A file whose first line is `-- view` becomes a
    view. `parameters` are bound by name (`$data_cutoff`), to the models that name them.
    Raises ModelError for a cycle or a file that is no select; an error of DuckDB's is left as it is.
    """
    if not SCHEMA.match(schema):
        raise ModelError(f'schema "{schema}" is no name of lower-case letters, digits and underscores')
    con.execute(f'create schema if not exists "{schema}"')
    con.execute("create schema if not exists clinical")
    models = _read_models(con, folder, schema)
    former = con.execute("select current_setting('search_path')").fetchone()
    con.execute(f"set search_path = '{schema},clinical'")
    try:
        return [_build(con, model, parameters) for model in ordered(models)]
    finally:
        con.execute(f"set search_path = '{former[0] if former else ''}'")


def ordered(models: Mapping[str, Model]) -> Iterator[Model]:
    """The models, each after those that it reads, by name where that leaves a choice."""
    graph = {name: sorted(models[name].reads) for name in sorted(models)}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ModelError("models read each other in a circle: " + " → ".join(error.args[1])) from error
    return (models[name] for name in order)


def _read_models(con: DuckDBPyConnection, folder: Path, schema: str) -> dict[str, Model]:
    files = sorted(folder.glob("*.sql"))
    names = {file.stem for file in files}
    return {file.stem: _read_model(con, file, schema, names) for file in files}


def _read_model(con: DuckDBPyConnection, file: Path, schema: str, names: set[str]) -> Model:
    sql = file.read_text(encoding="utf-8").strip().removesuffix(";")
    tables = {name for place, name in _tables(con, sql, file) if place in ("", schema)}
    return Model(
        schema=schema,
        name=file.stem,
        sql=sql,
        is_view=sql.startswith(VIEW_MARK),
        parameters=frozenset(PARAMETER.findall(_without_comments(sql))),
        reads=frozenset((tables & names) - {file.stem}),
    )


def _without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql)


def _tables(con: DuckDBPyConnection, sql: str, file: Path) -> set[tuple[str, str]]:
    """(schema or '', name) of every table that a select reads, its own CTEs aside, as DuckDB's parser sees it."""
    row = con.execute("select json_serialize_sql(?::varchar)", [sql]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree["error"] or len(tree["statements"]) != 1:
        raise ModelError(f"{file.name}: not one select; {tree.get('error_message', 'write a bare select')}")
    ctes = {("", str(entry["key"])) for node in _nodes(tree) for entry in _ctes(node)}
    tables = {
        (node["schema_name"], node["table_name"]) for node in _nodes(tree) if node.get("type") == "BASE_TABLE"
    }
    return tables - ctes


def _ctes(node: dict) -> list[dict]:
    cte_map = node.get("cte_map")
    return list(cte_map["map"]) if isinstance(cte_map, dict) else []


def _nodes(tree: object) -> Iterator[dict]:
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)


def _build(con: DuckDBPyConnection, model: Model, parameters: Mapping[str, object]) -> ModelBuild:
    target = f'"{model.schema}"."{model.name}"'
    kind = "view" if model.is_view else "table"
    bound = {name: parameters[name] for name in sorted(model.parameters)}
    con.execute(f"create or replace {kind} {target} as {model.sql}", bound or None)
    counted = None if model.is_view else con.execute(f"select count(*) from {target}").fetchone()  # noqa: S608
    rows = counted[0] if counted else None
    return ModelBuild(model.schema, model.name, rows, sha256(model.sql.encode()).hexdigest())
