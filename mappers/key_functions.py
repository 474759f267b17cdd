"""The keys of resources and of what references mean, as SQL on FHIR adds them."""

from __future__ import annotations

from mappers import fhir_types
from mappers.calls import Compile, type_argument
from mappers.comparisons import named
from mappers.fhirpath import Call, FhirPathError
from mappers.values import (
    Context,
    Value,
    absent,
    decoded,
    map_items,
    text,
    without_nulls,
)

# The column in which the query holds the resource's own key, see `queries.py`.
OWN_KEY = '"$key"'


def resource_key(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    if source is not context.resource:
        raise FhirPathError(
            "getResourceKey() belongs to the resource itself, at the path's beginning", tree.column
        )
    return Value(OWN_KEY, "string")


def reference_key(context: Context, source: Value, tree: Call, compile_tree: Compile) -> Value:
    wanted = type_argument(tree) if tree.arguments else None
    if wanted and not any(
        fhir_types.is_resource(v, wanted) for v in (context.version, context.other_version)
    ):
        message = f"{wanted} is no resource type; write it as in FHIR, as in {tree.name}(Patient)"
        raise FhirPathError(message, tree.arguments[0].column)
    if source.is_absent:
        return absent("string", is_list=source.is_list)
    if source.type_name != "Reference":
        raise FhirPathError(f"getReferenceKey() needs a Reference and has {named(source)}", tree.column)
    if not source.is_list:
        return Value(_one_reference_key(context, decoded(context, source), wanted), "string")
    keys = map_items(context, source, lambda one, _: _one_reference_key(context, one, wanted))
    return Value(without_nulls(context, keys), "string", is_list=True)


def _one_reference_key(context: Context, one: Value, wanted: str | None) -> str:
    from mappers.expressions import member

    def part(of: Value, name: str) -> Value:
        return member(context, of, name, 1)

    identifier = part(one, "identifier")
    parts = [part(one, "reference"), part(one, "type"), part(identifier, "system"), part(identifier, "value")]
    arguments = ", ".join([*(p.sql for p in parts), OWN_KEY])
    key = f"reference_key({arguments})"
    return f"key_of_type({key}, {parts[1].sql}, {text(wanted)})" if wanted else key
