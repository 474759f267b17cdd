"""Builds again, under changed rules, those tables of a study that differ then: as few, for as few persons."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sql.runner import Model, ModelBuild, create, needs, one_transaction, ordered, read_models, reads
from sql.study_tables import RuleTable, write_rule_table

WORDS = re.compile(r"\w+")
# Whom a change of a rule can touch, by the rule's table or its column of `setting`; without a file, everybody.
AFFECTED = Path(__file__).parent / "affected"
# The one table that is of everybody: who isn't touched otherwise is touched by a change of it.
OF_EVERYBODY = "data_cutoff"
AFFECTED_PERSON = "affected_person"


@dataclass(frozen=True)
class ChangedRules:
    """A protocol table that differs; with the columns that do where it has one row, else none."""

    table: RuleTable
    columns: frozenset[str]


def rebuild_models(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    schema: str,
    *,
    base: str,
    changed: Collection[ChangedRules],
    wanted: Collection[str],
    parameters: Mapping[str, object],
) -> list[str]:
    """Puts those of the tables `wanted` into `schema` whose rows under the changed rules may differ from schema `base`.

    What they are made from is built as temporary tables, which are found before those of `base`: a model is built when
    it reads one that differs, for the persons whom the changes can touch. So the rows are those of building everything.
    The connection must have no temporary tables, and isn't to be used afterwards. Returns the names of what was put
    into the schema, for `complete_tables`.
    """
    con.execute(f"set search_path = '\"{base}\",clinical'")
    models = read_models(folder)
    names = _with_needs(wanted, models, base)
    needed = [model for model in ordered(models, base) if model.name in names]
    for rules in changed:
        con.execute(f'create temp view "before_{rules.table.name}" as from "{base}"."{rules.table.name}"')
        write_rule_table(con, None, rules.table)
    differing = {rules.table.name: rules.columns for rules in changed}
    restricted = _restrict(con, needed, base, changed, parameters)
    if restricted and not con.execute(f"from {AFFECTED_PERSON} limit 1").fetchone():
        return []
    for model in needed:
        if restricted and model.name == OF_EVERYBODY:
            # It is as before, and of some persons it would be another.
            continue
        if _is_touched(model, differing) and _differs(con, model, base, parameters, restricted):
            differing[model.name] = frozenset()
    kept = [model.name for model in needed if model.name in differing and model.name in wanted]
    with one_transaction(con):
        for name in [*kept, AFFECTED_PERSON] if restricted else kept:
            con.execute(f'create table "{schema}"."{name}" as from temp."{name}"')
    return kept


def complete_tables(
    con: duckdb.DuckDBPyConnection, schema: str, names: Collection[str], *, base: str
) -> list[ModelBuild]:
    """Gives the tables that were put into `schema` the rows of those whom the changes don't touch; returns them.

    Those whose rows are those of `base` then are dropped. The connection must have no temporary tables, since views of
    `base` would read them.
    """
    if AFFECTED_PERSON in _relations(con, schema):
        others = f'anti join "{schema}".{AFFECTED_PERSON} using (person_id)'
        for name in names:
            con.execute(f'insert into "{schema}"."{name}" by name from "{base}"."{name}" {others}')
        con.execute(f'drop table "{schema}".{AFFECTED_PERSON}')
    views, kept = _views(con, base), []
    for name in names:
        rows = f'from "{schema}"."{name}"'
        # A table was put there because it differs; of a view that isn't known.
        if name in views and _fingerprint(con, rows) == _fingerprint(con, f'from "{base}"."{name}"'):
            con.execute(f'drop table "{schema}"."{name}"')
        else:
            counted = con.execute(f"select count(*) {rows}").fetchall()
            kept.append(ModelBuild(schema, name, counted[0][0]))
    return kept


def build_view(
    con: duckdb.DuckDBPyConnection, folder: Path, schema: str, name: str, *, base: str
) -> ModelBuild:
    """Builds one view of the folder in `schema`, with views of those tables of `base` that it reads and lacks here."""
    model = read_models(folder)[name]
    for read in sorted(reads(model, base) & (_relations(con, base) - _relations(con, schema)) - {name}):
        con.execute(f'create view "{schema}"."{read}" as from "{base}"."{read}"')
    con.execute(f"set search_path = '\"{schema}\",clinical'")
    create(con, model, f'"{schema}"."{name}"', {})
    con.execute("reset search_path")
    return ModelBuild(schema, name, None)


def _restrict(
    con: duckdb.DuckDBPyConnection,
    needed: Collection[Model],
    base: str,
    changed: Collection[ChangedRules],
    parameters: Mapping[str, object],
) -> frozenset[str]:
    """Shows the models only the persons whom the changes can touch, where that is known; returns the tables that are
    restricted so."""
    files = [AFFECTED / f"{name}.sql" for rules in changed for name in _names(rules)]
    if (
        not files
        or not all(file.is_file() for file in files)
        or _moves(con, needed, base, changed, parameters)
    ):
        return frozenset()
    persons = "\nunion\n".join(f"({file.read_text(encoding='utf-8')}\n)" for file in files)
    con.execute(f"create temp table {AFFECTED_PERSON} as {persons}")
    restricted = _of_persons(con, base) & {model.name for model in needed}
    for name in sorted(restricted):
        con.execute(f'create temp view "{name}" as {_rows_of_affected(base, name)}')
    return frozenset(restricted)


def _names(rules: ChangedRules) -> list[str]:
    return [f"{rules.table.name}.{column}" for column in sorted(rules.columns)] or [rules.table.name]


def _moves(
    con: duckdb.DuckDBPyConnection,
    needed: Collection[Model],
    base: str,
    changed: Collection[ChangedRules],
    parameters: Mapping[str, object],
) -> bool:
    """Whether the changes reach everybody, through the table that is of everybody."""
    differing = {rules.table.name: rules.columns for rules in changed}
    return any(
        _differs(con, model, base, parameters, frozenset())
        for model in needed
        if model.name == OF_EVERYBODY and _is_touched(model, differing)
    )


def _differs(
    con: duckdb.DuckDBPyConnection,
    model: Model,
    base: str,
    parameters: Mapping[str, object],
    restricted: Collection[str],
) -> bool:
    """Builds a temporary table or view; takes it back, and says no, where its rows are those of `base`."""
    name, is_restricted = f'"{model.name}"', model.name in restricted
    before = _rows_of_affected(base, model.name) if is_restricted else f'from "{base}".{name}'
    if is_restricted:
        con.execute(f"drop view temp.{name}")
    create(con, model, name, parameters, is_temporary=True)
    if model.is_view or _fingerprint(con, f"from temp.{name}") != _fingerprint(con, before):
        return True
    con.execute(f"drop table temp.{name}")
    if is_restricted:
        con.execute(f"create temp view {name} as {before}")
    return False


def _rows_of_affected(base: str, name: str) -> str:
    return f'from "{base}"."{name}" semi join {AFFECTED_PERSON} using (person_id)'


def _with_needs(wanted: Collection[str], models: Mapping[str, Model], schema: str) -> set[str]:
    needed: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += needs(models[name], models, schema)
    return needed


def _is_touched(model: Model, changed: Mapping[str, Collection[str]]) -> bool:
    """Whether the model reads a changed table; of one whose changed columns are known, whether it names one."""
    words = set(WORDS.findall(model.code))
    return any(not columns or words & set(columns) for name, columns in changed.items() if name in words)


def _fingerprint(con: duckdb.DuckDBPyConnection, rows: str) -> tuple[object, ...]:
    """Of rows, whatever their order: as many, and the sum and parity of their 64-bit hashes."""
    taken = f"select count(*), sum(hash(one)::hugeint), bit_xor(hash(one)) from ({rows}) as one"  # noqa: S608
    return con.execute(taken).fetchone() or ()


def _of_persons(con: duckdb.DuckDBPyConnection, schema: str) -> set[str]:
    """The tables and views of a schema whose rows are of a person."""
    found = con.execute(
        "select table_name from duckdb_columns() where schema_name = $schema and column_name = 'person_id'",
        {"schema": schema},
    )
    return {name for (name,) in found.fetchall()}


def _relations(con: duckdb.DuckDBPyConnection, schema: str) -> set[str]:
    found = con.execute(
        "select table_name from duckdb_tables() where schema_name = $schema", {"schema": schema}
    )
    return {name for (name,) in found.fetchall()} | _views(con, schema)


def _views(con: duckdb.DuckDBPyConnection, schema: str) -> set[str]:
    found = con.execute(
        "select view_name from duckdb_views() where schema_name = $schema", {"schema": schema}
    )
    return {name for (name,) in found.fetchall()}
