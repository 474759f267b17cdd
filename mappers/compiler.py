"""A ViewDefinition becomes one DuckDB query over a typed struct.

`compile_view` gives the type by which the resources are to be read (only the fields that the view names)
and the query. FHIR versions differ in shape, so a view is compiled once for each: a path that only one
version has is empty in the other; one that neither has is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mappers import fhir_types
from mappers.fhir_types import Element
from mappers.fields import Field, FieldPath, Fields
from mappers.queries import query
from mappers.rows import Column, Plan, plan_rows
from mappers.values import Context, Value, text
from mappers.view import COLUMN_TYPES, View, ViewConstant, ViewError

__all__ = ["Column", "CompiledView", "compile_view"]


@dataclass(frozen=True)
class CompiledView:
    """A view compiled for one FHIR version.

    `struct` is the DuckDB type of the column `resource`: the fields read, and always `id` and `meta`.
    `paths` are the leaves of it. `exact_numbers` are paths of decimals that `struct` reads as VARCHAR
    because their written precision counts: DuckDB's JSON reader passes every number through a double, so
    whoever writes the NDJSON must write the numbers at these paths as JSON strings, digit for digit.
    Where `reads_json`, parts are read as JSON, in which DuckDB doesn't see that an object has a key twice.
    """

    name: str
    resource: str
    fhir_version: str
    columns: tuple[Column, ...]
    struct: str
    paths: frozenset[FieldPath]
    exact_numbers: frozenset[FieldPath]
    reads_json: bool
    plan: Plan = field(repr=False)
    fields: Fields = field(repr=False)

    def select(self, relation: str, passthrough: Sequence[str] = ("site", "file", "line")) -> str:
        """SQL of the view's rows over `relation`, SQL of a relation with the column `resource` of type
        `struct`.

        The passthrough columns stand first, and are the same in every row of a resource. Rows have no
        order. The connection needs the macros of `mappers.references.install_macros`.
        """
        return query(self.plan, self.fields.finish, relation, passthrough)


def compile_view(view: View, fhir_version: str = "R4B", *, exact_decimals: bool = False) -> CompiledView:
    """The view for R4, R4B or R5; raises ViewError. With `exact_decimals` decimals are read and kept as
    text."""
    version = fhir_types.model_version(fhir_version)
    other = next(v for v in fhir_types.VERSIONS if v != version)
    check_resource(view, fhir_version, version, other)
    fields = Fields(is_exact=exact_decimals)
    root = root_field(fields)
    has_other = fhir_types.has_type(other, view.resource)
    is_absent = not fhir_types.has_type(version, view.resource)
    resource = Value(
        '"resource"',
        None if is_absent else view.resource,
        field=root,
        elsewhere=view.resource if has_other else None,
        is_absent=is_absent,
    )
    constants = {constant.name: constant_value(constant) for constant in view.constants}
    plan = plan_rows(view, Context(version, other, resource, resource, "0", constants, fields))
    columns = tuple(plan.columns.values())
    paths = frozenset(root.paths())
    exact = frozenset(root.exact_paths())
    return CompiledView(
        view.name,
        view.resource,
        fhir_version,
        columns,
        root.item_type(),
        paths,
        exact,
        any(field.is_json for field in fields.all),
        plan,
        fields,
    )


def check_resource(view: View, fhir_version: str, *versions: str) -> None:
    name = view.resource
    if fhir_version == "R4" and name in fhir_types.R4_DIFFERS:
        reason = fhir_types.R4_DIFFERS[name]
        raise ViewError(view.file, "resource", None, f"{name} of R4 can't be read: it {reason}")
    if not any(fhir_types.is_resource(version, name) for version in versions):
        message = f"{name!r} is no resource type of R4B or R5; write it as in FHIR, as in Patient"
        raise ViewError(view.file, "resource", None, message)


def root_field(fields: Fields) -> Field:
    """The resource's field, with what every load reads: id, version and lastUpdated."""
    root = fields.new("resource")
    fields.child(root, Element("id", "id", False), is_primitive=True)
    meta = fields.child(root, Element("meta", "Meta", False), is_primitive=False)
    fields.child(meta, Element("versionId", "id", False), is_primitive=True)
    fields.child(meta, Element("lastUpdated", "instant", False), is_primitive=True)
    return root


def constant_value(constant: ViewConstant) -> Value:
    match COLUMN_TYPES[constant.type_name]:
        case "boolean":
            return Value(str(constant.value).lower(), "boolean")
        case "integer":
            return Value(str(constant.value), constant.type_name)
        case "decimal":
            return Value(f"cast({constant.value!r} as DOUBLE)", "decimal")
        case _:
            return Value(text(str(constant.value)), constant.type_name)
