"""Builds a folder of models: each a bare select in a file of its own, ordered by what they read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import duckdb

READS = re.compile(r'\b(?:from|join)\s+(?:"?([a-z_][a-z0-9_]*)"?\.)?"?([a-z_][a-z0-9_]*)"?', re.IGNORECASE)
PARAMETERS = re.compile(r"\$([a-z_]+)")
WORDS = re.compile(r"\w+")
COMMENTS = re.compile(r"--.*")
VIEW_MARK = "-- view"


class ModelError(Exception):
    """Models that read each other in a circle, or one that can't be built. Holds no value of the data."""


@dataclass(frozen=True)
class ModelBuild:
    """A model that was built; `rows` is None for a view."""

    schema: str
    name: str
    rows: int | None


@dataclass(frozen=True)
class _Model:
    name: str
    text: str

    @property
    def is_view(self) -> bool:
        return self.text.startswith(VIEW_MARK)

    @property
    def code(self) -> str:
        return COMMENTS.sub("", self.text)


@contextmanager
def one_transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Everything within, or nothing of it: many small tables are written to the disk once, not one by one."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


def build_models(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    schema: str,
    *,
    parameters: Mapping[str, object] | None = None,
) -> list[ModelBuild]:
    """Builds every `*.sql` of the folder as a table (or view, where its first line says so) of the schema.

    A name without a schema is looked for in `schema`, then in `clinical`. Parameters are bound by name; a
    model gets those that it names. Returns what was built, in order. Raises ModelError on a circle.
    """
    con.execute(f'create schema if not exists "{schema}"')
    con.execute("create schema if not exists clinical")
    con.execute(f"set search_path = '{schema},clinical'")
    built = [_build(con, model, schema, parameters or {}) for model in _ordered(_read(folder), schema)]
    con.execute("reset search_path")
    return built


def rebuild_models(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    schema: str,
    *,
    base: str,
    changed: Mapping[str, Collection[str]],
    wanted: Collection[str],
    parameters: Mapping[str, object] | None = None,
) -> list[ModelBuild]:
    """Builds in `schema` those tables, of the ones `wanted` and what they need, that differ from schema `base`.

    `changed` names the tables of `schema` that differ, with the columns that do, or none where any may. A model is
    built when it reads such a table, and kept when its rows aren't those of `base`; what isn't in `schema` is read
    from there. So the rows are those of building everything. Returns what was kept, in order.
    """
    con.execute(f'set search_path = \'"{schema}","{base}",clinical\'')
    models = _read(folder)
    needed = _with_needs(wanted, models, base)
    differing, kept = dict(changed), []
    for model in _ordered(models, base):
        if model.name in needed and _is_touched(model, differing):
            built = _build(con, model, schema, parameters or {})
            if not model.is_view and _fingerprint(con, schema, model.name) == _fingerprint(
                con, base, model.name
            ):
                con.execute(f'drop table "{schema}"."{model.name}"')
                continue
            differing[model.name] = ()
            kept.append(built)
    con.execute("reset search_path")
    return kept


def build_view(
    con: duckdb.DuckDBPyConnection, folder: Path, schema: str, name: str, *, base: str
) -> ModelBuild:
    """Builds one view of the folder in `schema`, with views of those tables of `base` that it reads and lacks here."""
    model = _read(folder)[name]
    for read in sorted(_reads(model, base) & (_relations(con, base) - _relations(con, schema)) - {name}):
        con.execute(f'create view "{schema}"."{read}" as from "{base}"."{read}"')
    con.execute(f"set search_path = '\"{schema}\",clinical'")
    built = _build(con, model, schema, {})
    con.execute("reset search_path")
    return built


def _with_needs(wanted: Collection[str], models: Mapping[str, _Model], schema: str) -> set[str]:
    needed: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _needs(models[name], models, schema)
    return needed


def _is_touched(model: _Model, changed: Mapping[str, Collection[str]]) -> bool:
    """Whether the model reads a changed table; of one whose changed columns are known, whether it names one."""
    words = set(WORDS.findall(model.code))
    return any(not columns or words & set(columns) for name, columns in changed.items() if name in words)


def _fingerprint(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> tuple[object, ...]:
    """Of a table's rows, whatever their order: as many, and the sum and parity of their 64-bit hashes."""
    rows = f'select count(*), sum(hash(one)::hugeint), bit_xor(hash(one)) from "{schema}"."{table}" as one'  # noqa: S608
    return con.execute(rows).fetchone() or ()


def _relations(con: duckdb.DuckDBPyConnection, schema: str) -> set[str]:
    found = con.execute(
        "select table_name from duckdb_tables() where schema_name = $schema "
        "union all select view_name from duckdb_views() where schema_name = $schema",
        {"schema": schema},
    )
    return {name for (name,) in found.fetchall()}


def _read(folder: Path) -> dict[str, _Model]:
    paths = sorted(folder.glob("*.sql"))
    return {path.stem: _Model(path.stem, path.read_text(encoding="utf-8")) for path in paths}


def _ordered(models: Mapping[str, _Model], schema: str) -> list[_Model]:
    """The models so that each comes after those it reads; by name where that leaves a choice."""
    sorter = TopologicalSorter({name: _needs(model, models, schema) for name, model in models.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise ModelError(f"models read each other in a circle: {' → '.join(error.args[1])}") from error
    ordered: list[_Model] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [models[name] for name in ready]
        sorter.done(*ready)
    return ordered


def _needs(model: _Model, models: Mapping[str, _Model], schema: str) -> set[str]:
    return (_reads(model, schema) & set(models)) - {model.name}


def _reads(model: _Model, schema: str) -> set[str]:
    return {name for place, name in READS.findall(model.code) if place in ("", schema)}


def _build(
    con: duckdb.DuckDBPyConnection, model: _Model, schema: str, parameters: Mapping[str, object]
) -> ModelBuild:
    kind = "view" if model.is_view else "table"
    wanted = {name: parameters[name] for name in sorted(set(PARAMETERS.findall(model.code)))}
    # A trailing comment would swallow what follows it, so the text ends in a line break.
    made = con.execute(
        f'create or replace {kind} "{schema}"."{model.name}" as\n{model.text}\n', wanted or None
    )
    # To make a table tells how many rows it has.
    counted = None if model.is_view else made.fetchone()
    return ModelBuild(schema, model.name, counted[0] if counted else None)
