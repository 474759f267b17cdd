"""The fields of a resource that a view reads, grown while its paths are compiled.

A `Field` becomes a part of the explicit type by which DuckDB reads the JSON. Whether a field is read as a
struct or as JSON is known only when the whole view is compiled, so the SQL holds marks that `Fields.finish`
resolves.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from mappers.fhir_types import INTEGERS, Element

OPEN, MIDDLE, CLOSE = "\x01", "\x02", "\x03"
DECODE = re.compile(f"{OPEN}(\\d+){MIDDLE}([^{OPEN}{CLOSE}]*){CLOSE}")


def quoted(identifier: str) -> str:
    """The identifier as SQL, whatever characters it has."""
    return '"' + identifier.replace('"', '""') + '"'


def duckdb_type(fhir_type: str) -> str:
    """The DuckDB type in which a primitive is read: text keeps a date's precision and offset."""
    if fhir_type == "boolean":
        return "BOOLEAN"
    if fhir_type == "decimal":
        return "DOUBLE"
    return "BIGINT" if fhir_type in INTEGERS else "VARCHAR"


@dataclass(frozen=True)
class Repeat:
    """A part of a path: any number of these paths, one after the other."""

    steps: frozenset[tuple[str, ...]]


# A path of field names; `ofType(Patient)` in it is a resource of that type where any may stand.
FieldPath = tuple[str | Repeat, ...]


def of_resource_type(name: str) -> str:
    """The part of a path that stands for resources of this type where any may stand."""
    return f"ofType({name})"


def is_on(path: tuple[str, ...], pattern: FieldPath) -> bool:
    """Whether the names lead along the pattern to its end, or into one of its repeated steps."""
    if not pattern:
        return not path
    head, rest = pattern[0], pattern[1:]
    if isinstance(head, str):
        return bool(path) and path[0] == head and is_on(path[1:], rest)
    if is_on(path, rest):
        return True
    further = [step for step in head.steps if path and path[: len(step)] == step[: len(path)]]
    return any(is_on(path[len(step) :], pattern) for step in further)


@dataclass
class Field:
    """One field; `primitive` is its FHIR type, or None where it is an object.

    `is_json` reads an object as JSON text (for a recursion, whose depth a struct can't have, and for a
    resource of any type); `is_exact` reads a decimal as the text that was written. `inner` are the fields
    that are read out of the JSON, each with the path that leads to them from here.
    """

    name: str
    number: int
    primitive: str | None = None
    is_list: bool = False
    is_json: bool = False
    is_exact: bool = False
    children: dict[str, Field] = field(default_factory=dict)
    inner: list[tuple[FieldPath, Field]] = field(default_factory=list)

    def item_type(self, *, as_struct: bool = False) -> str:
        """The DuckDB type of one item of the field."""
        if self.primitive:
            return "VARCHAR" if self.is_exact else duckdb_type(self.primitive)
        if not self.children or (self.is_json and not as_struct):
            return "JSON"
        inner = ", ".join(f"{quoted(c.name)} {c.full_type()}" for c in self.children.values())
        return f"STRUCT({inner})"

    def full_type(self) -> str:
        return self.item_type() + ("[]" if self.is_list else "")

    def structure(self, *, as_struct: bool = False) -> object:
        """The type of one item as `json_transform` takes it."""
        if self.primitive or not self.children or (self.is_json and not as_struct):
            return self.item_type()
        return {c.name: [c.structure()] if c.is_list else c.structure() for c in self.children.values()}

    def below(self) -> list[tuple[FieldPath, Field]]:
        """The fields below with the paths that lead to them."""
        return [*(((child.name,), child) for child in self.children.values()), *self.inner]

    def paths(self, prefix: FieldPath = ()) -> set[FieldPath]:
        """The paths of the leaves below."""
        found: set[FieldPath] = set()
        for path, child in self.below():
            here = (*prefix, *path)
            found |= child.paths(here) if child.below() else {here}
        return found

    def exact_paths(self, prefix: FieldPath = ()) -> set[FieldPath]:
        found: set[FieldPath] = {prefix} if self.is_exact else set()
        for path, child in self.below():
            found |= child.exact_paths((*prefix, *path))
        return found

    def path_to(self, wanted: Field) -> tuple[str, ...] | None:
        """The names that lead from here to the field, or None where it isn't below."""
        for child in self.children.values():
            if child is wanted:
                return (child.name,)
            if further := child.path_to(wanted):
                return (child.name, *further)
        return None


class Fields:
    """All fields of one compilation, by number."""

    def __init__(self, *, is_exact: bool) -> None:
        self.all: list[Field] = []
        self.is_exact = is_exact

    def new(self, name: str, primitive: str | None = None, *, is_list: bool = False) -> Field:
        made = Field(name, len(self.all), primitive, is_list)
        made.is_exact = self.is_exact and primitive == "decimal"
        self.all.append(made)
        return made

    def child(self, parent: Field, element: Element, *, is_primitive: bool) -> Field:
        """The field of an element below `parent`, made at the first use."""
        if element.json_name not in parent.children:
            primitive = element.type_name if is_primitive else None
            parent.children[element.json_name] = self.new(
                element.json_name, primitive, is_list=element.is_list
            )
        return parent.children[element.json_name]

    def decode(self, sql: str, of: Field, *, is_list: bool) -> str:
        """`sql`, which may turn out to be JSON, as the struct that its uses need."""
        return f"{OPEN}{of.number * 2 + is_list}{MIDDLE}{sql}{CLOSE}"

    def finish(self, sql: str) -> str:
        """`sql` with every mark resolved, the innermost first."""

        def resolve(match: re.Match[str]) -> str:
            number, is_list = divmod(int(match.group(1)), 2)
            of, inner = self.all[number], match.group(2)
            if not of.is_json or not of.children:
                return inner
            structure = "'" + json.dumps(of.structure(as_struct=True)).replace("'", "''") + "'"
            if not is_list:
                return f"json_transform({inner}, {structure})"
            return f"list_transform({inner}, lambda _j{number}: json_transform(_j{number}, {structure}))"

        while OPEN in sql:
            sql = DECODE.sub(resolve, sql)
        return sql
