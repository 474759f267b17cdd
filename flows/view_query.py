"""The query of a view that runs alone, for each FHIR version in which its lines may be written."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from flows.errors import UserError
from flows.sql_layout import laid_out
from flows.typed_lines import lines_sql
from flows.urns import know_aliases, resolved_keys
from flows.view_lines import Alias
from mappers.compiler import CompiledView, compile_view
from mappers.fhir_types import has_type, model_version
from mappers.fields import quoted
from mappers.shape_check import VERSIONS
from mappers.view import View, ViewError, read_view

SCOPE = "$scope"  # no column of a view can have this name
WIDER = ("INTEGER", "BIGINT", "DOUBLE", "VARCHAR")


@dataclass(frozen=True)
class AskedView:
    """A view compiled for each FHIR version in which lines may be read. `columns` are name and DuckDB type."""

    view: View
    compiled: dict[str, CompiledView]
    columns: tuple[tuple[str, str], ...]
    is_exact: bool


def ask_view(path: Path, *, fhir_version: str | None = None, decimals: str = "double") -> AskedView:
    """The view, compiled for the FHIR version, or for each that has its resource type.

    `decimals` is `double` or `exact`. Raises UserError with the place of what is wrong.
    """
    if decimals not in ("double", "exact"):
        raise UserError(f"--decimals {decimals}: use double or exact")
    if fhir_version not in (None, "R4", "R4B", "R5"):
        raise UserError(f"--fhir-version {fhir_version}: use R4, R4B or R5")
    try:
        view = read_view(path)
        compiled = _compiled(view, fhir_version, is_exact=decimals == "exact")
    except ViewError as error:
        raise UserError(str(error)) from error
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror})") from error
    except RecursionError as error:
        raise UserError(f"{path}: is nested too deeply for a view") from error
    return AskedView(view, compiled, _columns(compiled.values()), decimals == "exact")


def explain(asked: AskedView) -> str:
    """The SQL of the view: one statement for each FHIR version."""
    return "\n\n".join(_explained(compiled) for compiled in asked.compiled.values()) + "\n"


def _compiled(view: View, fhir_version: str | None, *, is_exact: bool) -> dict[str, CompiledView]:
    """By the version whose models read the lines."""
    if fhir_version is not None:
        version = model_version(fhir_version)
        compiled = compile_view(view, fhir_version=fhir_version, exact_decimals=is_exact)
        if not has_type(version, view.resource):
            message = f"{view.resource!r} is no resource type of {fhir_version}; leave --fhir-version out"
            raise ViewError(view.file, "resource", None, message)
        return {version: compiled}
    made = {v: compile_view(view, fhir_version=v, exact_decimals=is_exact) for v in VERSIONS}
    return {version: compiled for version, compiled in made.items() if has_type(version, view.resource)}


def _columns(compiled: Iterable[CompiledView]) -> tuple[tuple[str, str], ...]:
    """The columns with the type that holds what each version gives."""
    columns: dict[str, str] = {}
    for one in compiled:
        for column in one.columns:
            former = columns.setdefault(column.name, column.duckdb_type)
            columns[column.name] = _wider(former, column.duckdb_type)
    return tuple(columns.items())


def _wider(one: str, other: str) -> str:
    if one == other:
        return one
    items = [kind.removesuffix("[]") for kind in (one, other)]
    wider = max(items, key=WIDER.index) if set(items) <= set(WIDER) else "VARCHAR"
    return wider + "[]" * one.endswith("[]")


def _explained(compiled: CompiledView) -> str:
    sql = laid_out(compiled.select("resources", passthrough=()))
    return (
        f"-- FHIR {compiled.fhir_version}. `resources` has a row for each {compiled.resource}, "
        f"in its column `resource` of the type\n-- {compiled.struct}\n{sql};"
    )


def rows_of(
    connection: duckdb.DuckDBPyConnection,
    asked: AskedView,
    version: str,
    path: Path,
    longest: int,
    *,
    has_aliases: bool,
) -> duckdb.DuckDBPyRelation:
    """The view's rows over a file of lines, the longest of which has `longest` bytes; nothing is read yet."""
    compiled = asked.compiled[version]
    columns_read = {SCOPE: "BIGINT", "resource": compiled.struct}
    connection.sql(lines_sql([path], columns_read, longest)).create_view("resources", replace=True)
    references = resolved_keys(asked.view, dict(asked.columns), f'"{SCOPE}"') if has_aliases else {}
    rows = connection.sql(compiled.select("resources", passthrough=(SCOPE,) if references else ()))
    made = {column.name: column.duckdb_type for column in compiled.columns}
    columns = []
    for name, kind in asked.columns:
        column = duckdb.SQLExpression(references.get(name, quoted(name)))
        if made[name] != kind:
            column = column.cast(duckdb.sqltypes.DuckDBPyType(kind))
        columns.append(column.alias(name))
    return rows.select(*columns)


def note_aliases(connection: duckdb.DuckDBPyConnection, noted: list[Alias]) -> None:
    """Makes the aliases of a chunk known to the rows that are then read with `has_aliases`."""
    if not noted:
        return
    scopes, aliases, keys = zip(*noted, strict=True)
    connection.register("noted_alias", pa.table({"scope": scopes, "alias": aliases, "key": keys}))
    know_aliases(connection)
    connection.unregister("noted_alias")
