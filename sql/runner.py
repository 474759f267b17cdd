"""Builds a folder of models: each a bare select in a file of its own, ordered by what they read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

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
class Model:
    """A model's name and text."""

    name: str
    text: str

    @property
    def is_view(self) -> bool:
        return self.text.startswith(VIEW_MARK)

    @cached_property
    def code(self) -> str:
        return COMMENTS.sub("", self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(WORDS.findall(self.code))

    @cached_property
    def reads(self) -> frozenset[tuple[str, str]]:
        """The relations that it reads, as it names them: the schema or "", and the name."""
        return frozenset(READS.findall(self.code))


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


@contextmanager
def threads(con: duckdb.DuckDBPyConnection, number: int) -> Iterator[None]:
    """So many threads for each query, of whatever connection to the database; afterwards as many as before."""
    before = setting(con, "threads")
    con.execute(f"set threads = {number}")
    try:
        yield
    finally:
        con.execute(f"set threads = {before}")


def setting(con: duckdb.DuckDBPyConnection, name: str) -> Any:
    """The value of a setting of DuckDB."""
    found = con.execute("select current_setting($name)", {"name": name}).fetchone()
    return found[0] if found else None


def build_models(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    schema: str,
    *,
    parameters: Mapping[str, object] | None = None,
    shows_empty: bool = False,
) -> list[ModelBuild]:
    """Builds every `*.sql` of the folder as a table (or view, where its first line says so) of the schema.

    A name without a schema is looked for in `schema`, then in `clinical`. Parameters are bound by name; a
    model gets those that it names. With `shows_empty` a table without rows becomes an empty view (`show_empty`).
    Returns what was built, in order. Raises ModelError on a circle.
    """
    con.execute(f'create schema if not exists "{schema}"')
    con.execute("create schema if not exists clinical")
    con.execute(f"set search_path = '{schema},clinical'")
    built = []
    for model in ordered(read_models(folder), schema):
        place = f'"{schema}"."{model.name}"'
        built.append(ModelBuild(schema, model.name, create(con, model, place, parameters or {})))
        if shows_empty and built[-1].rows == 0:
            show_empty(con, place)
    con.execute("reset search_path")
    return built


def read_models(folder: Path) -> dict[str, Model]:
    """The models of a folder by name."""
    paths = sorted(folder.glob("*.sql"))
    return {path.stem: Model(path.stem, path.read_text(encoding="utf-8")) for path in paths}


def ordered(models: Mapping[str, Model], schema: str) -> list[Model]:
    """The models so that each comes after those it reads; by name where that leaves a choice.

    Raises ModelError on a circle.
    """
    sorter = TopologicalSorter({name: needs(model, models, schema) for name, model in models.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise ModelError(f"models read each other in a circle: {' → '.join(error.args[1])}") from error
    sorted_models: list[Model] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        sorted_models += [models[name] for name in ready]
        sorter.done(*ready)
    return sorted_models


def needs(model: Model, models: Mapping[str, Model], schema: str) -> set[str]:
    """The models that a model reads."""
    return (reads(model, schema) & set(models)) - {model.name}


def reads(model: Model, schema: str) -> set[str]:
    """The relations of a schema that a model reads, as it names them."""
    return {name for place, name in model.reads if place in ("", schema)}


def create(
    con: duckdb.DuckDBPyConnection,
    model: Model,
    place: str,
    parameters: Mapping[str, object],
    *,
    is_temporary: bool = False,
) -> int | None:
    """Makes a model's table or view at a place; returns its rows, or None for a view."""
    kind = ("temp " if is_temporary else "") + ("view" if model.is_view else "table")
    wanted = {name: parameters[name] for name in sorted(set(PARAMETERS.findall(model.code)))}
    # A trailing comment would swallow what follows it, so the text ends in a line break.
    made = con.execute(f"create or replace {kind} {place} as\n{model.text}\n", wanted or None)
    # To make a table tells how many rows it has.
    counted = None if model.is_view else made.fetchone()
    return counted[0] if counted else None


def insert(
    con: duckdb.DuckDBPyConnection, place: str, kinds: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Inserts rows with columns of these types: by one statement, since one for each row takes a millisecond."""
    columns = {f"column_{number}": list(values) for number, values in enumerate(zip(*rows, strict=True))}
    lists = ", ".join(f"unnest(${name}::{kind}[])" for name, kind in zip(columns, kinds, strict=True))
    con.execute(f"insert into {place} select {lists}", columns)


def show_empty(con: duckdb.DuckDBPyConnection, place: str) -> None:
    """Puts an empty view in the place of a table without rows: DuckDB knows that there is none in it, and leaves out
    what queries would read for it."""
    columns = con.execute(f"describe {place}").fetchall()
    con.execute(f"drop table {place}")
    nulls = ", ".join(f'null::{kind} as "{name}"' for name, kind, *_ in columns)
    con.execute(f"create view {place} as select {nulls} where false")
