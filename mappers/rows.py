"""Compiles a view's selects into levels: what is unnested, and which columns each unnesting gives.

Level 0 is the resource. Each `forEach`, `forEachOrNull`, `repeat` and `unionAll` outside of a union is a
level: a list, computed where its parent's row is, unnested in its turn, so that siblings multiply and no
subquery is correlated. The branches of a `unionAll` are concatenated as lists of row structs, so the input
is read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mappers.comparisons import boolean, named
from mappers.expressions import expression, untyped_choice
from mappers.fhir_types import INTEGERS
from mappers.fhirpath import FhirPathError
from mappers.fields import duckdb_type, quoted
from mappers.repetition import repeated
from mappers.values import Context, Value, decoded, only_of, text, to_list
from mappers.view import COLUMN_TYPES, Select, View, ViewColumn, ViewError, ViewPath


@dataclass(frozen=True)
class Column:
    """A column of the result: its name, and the DuckDB type, which is a list's where `is_collection`."""

    name: str
    duckdb_type: str
    is_collection: bool


@dataclass
class Level:
    """One unnesting: its list (SQL in the parent's row), and the columns (name, SQL) of each of its rows."""

    number: int
    parent: int
    list_sql: str = ""
    keeps_empty: bool = False
    outputs: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Plan:
    """The levels of a view in the order of their unnesting."""

    view: View
    levels: list[Level] = field(default_factory=lambda: [Level(0, 0)])
    columns: dict[str, Column] = field(default_factory=dict)
    filters: list[str] = field(default_factory=list)

    def compiled(self, context: Context, path: ViewPath) -> Value:
        try:
            return expression(context, path.tree)
        except FhirPathError as error:
            raise ViewError(self.view.file, path.at, error.column, error.message) from None

    def error(self, at: str, message: str, column: int | None = None) -> ViewError:
        return ViewError(self.view.file, at, column, message)

    def new_level(self, parent: Level, list_sql: str, *, keeps_empty: bool = False) -> Level:
        level = Level(len(self.levels), parent.number, list_sql, keeps_empty)
        self.levels.append(level)
        return level


def plan_rows(view: View, context: Context) -> Plan:
    """The levels, columns and filters of a view. Raises ViewError."""
    plan = Plan(view)
    for path in view.where:
        plan.filters.append(filter_sql(plan, context, path))
    for select in view.selects:
        walk(plan, context, plan.levels[0], select)
    return plan


def filter_sql(plan: Plan, context: Context, path: ViewPath) -> str:
    value = plan.compiled(context, path)
    try:
        return f"({boolean(value, 1)})"
    except FhirPathError as error:
        raise plan.error(path.at, f"a view's where {error.message}", error.column) from None


def walk(plan: Plan, context: Context, level: Level, select: Select) -> None:
    """Adds the levels and outputs of a select outside of a union."""
    items = iteration(plan, context, select)
    if items is not None:
        keeps_empty = select.for_each_or_null is not None
        level = plan.new_level(level, items.sql, keeps_empty=keeps_empty)
        each, index = f'"$each{level.number}"', f'"$index{level.number}"'
        context = replace(context, this=replace(items, sql=each, is_list=False), row_index=index)
    for column in select.columns:
        level.outputs.append((column.name, column_sql(plan, context, column)))
    for nested in select.selects:
        walk(plan, context, level, nested)
    if select.union_all:
        walk_union(plan, context, level, select)


def walk_union(plan: Plan, context: Context, level: Level, select: Select) -> None:
    """Adds a union's level; lists that all its branches multiply with become levels of their own below it."""
    branches = [branch_of(plan, context, branch) for branch in select.union_all]
    shapes = {branch.body.shape() for branch in branches}
    if len(shapes) > 1:
        branches = [replace(branch, body=Body(branch.body.product(context))) for branch in branches]
    union = plan.new_level(level, concatenated([branch.as_list() for branch in branches]))
    each = f'"$each{union.number}"'
    body = branches[0].body
    own = body.own.columns
    union.outputs += [(name, f"{each}.{quoted(name)}") for name in own]
    for number, loop in enumerate(body.loops):
        inner = plan.new_level(union, f"{each}.{quoted(loop_name(number))}")
        inner.outputs += [(name, f'"$each{inner.number}".{quoted(name)}') for name in loop.columns]


def iteration(plan: Plan, context: Context, select: Select) -> Value | None:
    """The list over which the select iterates, its items decoded, or None."""
    path = select.for_each or select.for_each_or_null
    if path is None and not select.repeat:
        return None
    if path is None:
        try:
            return repeated(context, select.repeat, plan.compiled)
        except FhirPathError as error:
            raise plan.error(f"{select.at}.repeat", error.message) from None
    value = plan.compiled(context, path)
    if value.choice:
        raise plan.error(path.at, untyped_choice(value.choice), 1)
    if value.is_absent:
        return replace(value, sql="cast([] as INTEGER[])", is_list=True)
    whole = decoded(context, value)
    return whole if whole.is_list else replace(whole, sql=to_list(whole), is_list=True)


def column_sql(plan: Plan, context: Context, column: ViewColumn) -> str:
    """SQL of a column in its DuckDB type; registers the column."""
    value = plan.compiled(context, column.path)
    check_column(plan, column, value)
    type_name = column.type_name or value.type_name or value.elsewhere or "string"
    is_exact = context.fields.is_exact and type_name == "decimal"
    item_type = "VARCHAR" if is_exact else column_type(type_name)
    full_type = f"{item_type}[]" if column.is_collection else item_type
    made = Column(column.name, full_type, column.is_collection)
    if plan.columns.setdefault(column.name, made) != made:
        raise plan.error(
            column.at, f"is {full_type} here and another type in the first branch; give both a type"
        )
    if value.is_absent:
        return f"cast([] as {full_type})" if column.is_collection else f"cast(null as {full_type})"
    if column.is_collection:
        return f"cast({to_list(value)} as {full_type})"
    complaint = (
        f"{column.at}.path gives more than one value for a resource; "
        'choose with first(), or give the column "collection": true'
    )
    return f"cast({only_of(value, complaint).sql} as {full_type})"


def column_type(type_name: str) -> str:
    return "INTEGER" if type_name in INTEGERS - {"integer64"} else duckdb_type(type_name)


def check_column(plan: Plan, column: ViewColumn, value: Value) -> None:
    """A column is a primitive, of its declared type, and no list by its nature unless it says so."""
    at = column.path.at
    if value.choice:
        raise plan.error(at, untyped_choice(value.choice), 1)
    found = value.type_name or value.elsewhere
    if found is not None and found not in COLUMN_TYPES:
        raise plan.error(at, f"gives {named(value)}, an object; end the path at one of its elements", 1)
    declared = column.type_name
    if found and declared and not value.is_absent:
        have, want = COLUMN_TYPES[found], COLUMN_TYPES[declared]
        if have != want and want != "text" and (have, want) != ("integer", "decimal"):
            raise plan.error(
                f"{column.at}.type", f'is "{declared}", and the path gives a {found}; write "{found}"'
            )


# Inside of a union


@dataclass(frozen=True)
class Rows:
    """Rows by the SQL of their columns: one row (`list_sql` None), or a list of row structs."""

    columns: Mapping[str, str]
    list_sql: str | None = None


@dataclass(frozen=True)
class Body:
    """What a select gives for one item of its context: its own row, times the lists in `loops`."""

    own: Rows
    loops: tuple[Rows, ...] = ()

    def shape(self) -> tuple[tuple[str, ...], ...]:
        return (tuple(self.own.columns), *(tuple(loop.columns) for loop in self.loops))

    def struct(self) -> str:
        """The own row as a struct, with the lists still to be multiplied."""
        lists = {loop_name(number): str(loop.list_sql) for number, loop in enumerate(self.loops)}
        return row_struct({**self.own.columns, **lists})

    def product(self, context: Context) -> Rows:
        """The rows multiplied out."""
        if not self.loops:
            return self.own
        if len(self.loops) == 1 and not self.own.columns:
            return self.loops[0]
        columns = dict(self.own.columns)
        names = [f"_e{next(context.names)}" for _ in self.loops]
        for name, loop in zip(names, self.loops, strict=True):
            columns.update({column: f"{name}.{quoted(column)}" for column in loop.columns})
        sql = row_struct(columns)
        for name, loop in reversed(list(zip(names, self.loops, strict=True))):
            sql = f"list_transform({loop.list_sql}, lambda {name}: {sql})"
            sql = sql if loop is self.loops[-1] else f"flatten({sql})"
        return Rows(columns, sql)


@dataclass(frozen=True)
class Branch:
    """A select inside of a union: a body, for each item of `list_sql` (bound as `each`, `index`) or once."""

    body: Body
    list_sql: str | None = None
    each: str = ""
    index: str = ""

    def as_list(self) -> str:
        """SQL of the list of the body's structs."""
        own = self.body.own
        is_whole = own.list_sql is not None
        body = str(own.list_sql) if is_whole else self.body.struct()
        if self.list_sql is None:
            return body if is_whole else f"[{body}]"
        parameters = f"{self.each}, {self.index}" if self.index in body else self.each
        mapped = f"list_transform({self.list_sql}, lambda {parameters}: {body})"
        return f"flatten({mapped})" if is_whole else mapped


def loop_name(number: int) -> str:
    return f"$loop{number}"


def row_struct(columns: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{text(name)}: {sql}" for name, sql in columns.items()) + "}"


def concatenated(lists: list[str]) -> str:
    return lists[0] if len(lists) == 1 else f"list_concat({', '.join(lists)})"


def branch_of(plan: Plan, context: Context, select: Select) -> Branch:
    items = iteration(plan, context, select)
    if items is None:
        return Branch(body_of(plan, context, select))
    number = next(context.names)
    each, index = f"_e{number}", f"_i{number}"
    inner = replace(context, this=replace(items, sql=each, is_list=False), row_index=f"({index} - 1)")
    list_sql = items.sql
    if select.for_each_or_null:
        list_sql = f"case when len({list_sql}) > 0 then {list_sql} else [null] end"
    return Branch(body_of(plan, inner, select), list_sql, each, index)


def body_of(plan: Plan, context: Context, select: Select) -> Body:
    """A select's own columns, its nested selects' rows and its union's, in this order."""
    own = {column.name: column_sql(plan, context, column) for column in select.columns}
    loops: list[Rows] = []
    for nested in select.selects:
        rows = multiplied(plan, context, nested)
        if rows.list_sql is None:
            own.update(rows.columns)
        else:
            loops.append(rows)
    if select.union_all:
        lists = [multiplied(plan, context, branch) for branch in select.union_all]
        loops.append(Rows(lists[0].columns, concatenated([Branch(Body(rows)).as_list() for rows in lists])))
    return Body(Rows(own), tuple(loops))


def multiplied(plan: Plan, context: Context, select: Select) -> Rows:
    """A select's rows, all its lists multiplied out."""
    branch = branch_of(plan, context, select)
    rows = branch.body.product(context)
    if branch.list_sql is None:
        return rows
    return Rows(rows.columns, replace(branch, body=Body(rows)).as_list())
