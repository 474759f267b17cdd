"""Builds again, under changed rules, those tables of a study that differ then: as few, for as few persons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sql.runner import Model, ModelBuild, create, needs, one_transaction, ordered, reads
from sql.study_tables import RuleTable, write_rule_table
from studies.varied_analyses import Sources

# Whom a change of a rule can touch, by the rule's table or its column of `setting`; without a file, everybody.
AFFECTED = Path(__file__).parent / "affected"
# The one table that is of everybody: who isn't touched otherwise is touched by a change of it.
OF_EVERYBODY = "data_cutoff"
AFFECTED_PERSON = "affected_person"
# The table whose rows are asked for by endpoint; which there are, its rules say.
ENDPOINT = "endpoint"


@dataclass(frozen=True)
class ChangedRules:
    """A protocol table that differs; with the columns that do where it has one row, else none."""

    table: RuleTable
    columns: frozenset[str]


def rebuild_models(
    con: duckdb.DuckDBPyConnection,
    models: Mapping[str, Model],
    schema: str,
    *,
    base: str,
    changed: Collection[ChangedRules],
    wanted: Sources,
    parameters: Mapping[str, object],
) -> list[str]:
    """Puts those tables of `wanted` into `schema` whose rows under the changed rules may differ from schema `base`;
    `endpoint` with the wanted ones alone.

    What they are made from is built as temporary tables, which are found before those of `base`: a model is built when
    it reads one that differs, for the persons whom the changes can touch. So the rows are those of building everything.
    The connection must have no temporary tables, and isn't to be used afterwards. Returns the names of what was put
    into the schema, for `complete_tables`.
    """
    con.execute(f"set search_path = '\"{base}\",clinical'")
    names = _with_needs(wanted.tables, models, base)
    needed = [model for model in ordered(models, base) if model.name in names]
    for rules in changed:
        con.execute(f'create temp view "before_{rules.table.name}" as from "{base}"."{rules.table.name}"')
        write_rule_table(con, None, rules.table)
    differing = {rules.table.name: rules.columns for rules in changed}
    if ENDPOINT in names:
        _ask_for(con, wanted.endpoints, None if "endpoint_rule" in differing else base)
    restricted = _restrict(con, needed, base, changed, parameters)
    if restricted and not con.execute(f"from {AFFECTED_PERSON} limit 1").fetchone():
        return []
    for model in needed:
        if restricted and model.name == OF_EVERYBODY:
            # It is as before, and of some persons it would be another.
            continue
        if _is_touched(model, differing) and _differs(con, model, base, parameters, restricted):
            differing[model.name] = frozenset()
    kept = [model.name for model in needed if model.name in differing and model.name in wanted.tables]
    with one_transaction(con):
        for name in [*kept, AFFECTED_PERSON] if restricted else kept:
            con.execute(f'create table "{schema}"."{name}" as from temp."{name}"')
    return kept


def complete_tables(
    con: duckdb.DuckDBPyConnection,
    schema: str,
    names: Collection[str],
    *,
    base: str,
    endpoints: Collection[str],
) -> list[ModelBuild]:
    """Gives the tables that were put into `schema` the rows of those whom the changes don't touch, of `endpoint` those
    of these endpoints; returns them.

    The connection must have no temporary tables, since views of `base` would read them.
    """
    if AFFECTED_PERSON in _relations(con, schema):
        others = f'anti join "{schema}".{AFFECTED_PERSON} using (person_id)'
        for name in names:
            asked = "where list_contains($endpoints, endpoint)" if name == ENDPOINT else ""
            con.execute(
                f'insert into "{schema}"."{name}" by name from "{base}"."{name}" {others} {asked}',
                {"endpoints": list(endpoints)} if asked else None,
            )
        con.execute(f'drop table "{schema}".{AFFECTED_PERSON}')
    return [ModelBuild(schema, name, _count(con, schema, name)) for name in names]


def build_view(con: duckdb.DuckDBPyConnection, model: Model, schema: str, *, base: str) -> ModelBuild:
    """Builds a view in `schema`, with views of those tables of `base` that it reads and lacks here."""
    for read in sorted(reads(model, base) & (_relations(con, base) - _relations(con, schema)) - {model.name}):
        con.execute(f'create view "{schema}"."{read}" as from "{base}"."{read}"')
    con.execute(f"set search_path = '\"{schema}\",clinical'")
    create(con, model, f'"{schema}"."{model.name}"', {})
    con.execute("reset search_path")
    return ModelBuild(schema, model.name, None)


def _ask_for(con: duckdb.DuckDBPyConnection, endpoints: Collection[str], base: str | None) -> None:
    """Leaves the models the rules of these endpoints alone: those of `base`, or without it the temporary ones."""
    if base is not None:
        con.execute(f'create temp table endpoint_rule as from "{base}".endpoint_rule')
    con.execute(
        "delete from temp.endpoint_rule where not list_contains($endpoints, endpoint)",
        {"endpoints": list(endpoints)},
    )


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
        con.execute(f'create temp view "{name}" as {_rows_of(base, name, of_affected=True)}')
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
    before = _rows_of(base, model.name, of_affected=is_restricted)
    if is_restricted:
        con.execute(f"drop view temp.{name}")
    create(con, model, name, parameters, is_temporary=True)
    if model.is_view or _fingerprint(con, f"from temp.{name}") != _fingerprint(con, before):
        return True
    con.execute(f"drop table temp.{name}")
    if is_restricted:
        con.execute(f"create temp view {name} as {before}")
    return False


def _rows_of(base: str, name: str, *, of_affected: bool) -> str:
    """A table's rows before the change: of `endpoint` those that are asked for."""
    asked = " semi join endpoint_rule using (endpoint)" if name == ENDPOINT else ""
    affected = f" semi join {AFFECTED_PERSON} using (person_id)" if of_affected else ""
    return f'from "{base}"."{name}"{asked}{affected}'


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
    return any(
        not columns or model.words & set(columns) for name, columns in changed.items() if name in model.words
    )


def _fingerprint(con: duckdb.DuckDBPyConnection, rows: str) -> tuple[object, ...]:
    """Of rows, whatever their order: as many, and the sum and parity of their 64-bit hashes."""
    taken = f"select count(*), sum(hash(one)::hugeint), bit_xor(hash(one)) from ({rows}) as one"  # noqa: S608
    return con.execute(taken).fetchone() or ()


def _count(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> int:
    return len(con.table(f'"{schema}"."{name}"'))


def _of_persons(con: duckdb.DuckDBPyConnection, schema: str) -> set[str]:
    """The tables and views of a schema whose rows are of a person."""
    found = con.execute(
        "select table_name from duckdb_columns() where schema_name = $schema and column_name = 'person_id'",
        {"schema": schema},
    )
    return {name for (name,) in found.fetchall()}


def _relations(con: duckdb.DuckDBPyConnection, schema: str) -> set[str]:
    found = con.execute(
        "select table_name from information_schema.tables where table_schema = $schema", {"schema": schema}
    )
    return {name for (name,) in found.fetchall()}
