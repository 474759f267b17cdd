"""FHIRPath's operators as SQL: three-valued logic, equality, order, arithmetic, sets.

SQL's NULL is FHIRPath's empty collection, which makes `and`, `or`, `not`, arithmetic and comparisons the
same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mappers.fhir_types import DATES, INTEGERS, NUMBERS, TEXTS
from mappers.fhirpath import Binary, Expression, FhirPathError
from mappers.values import Context, Value, absent, only_of, to_list

Compile = Callable[[Context, Expression], Value]


def kind(value: Value) -> str:
    """The family within which values can be compared: boolean, number, date, time, text or object."""
    name = value.type_name or ""
    for family, members in (("number", NUMBERS), ("date", DATES), ("text", TEXTS)):
        if name in members:
            return family
    return name if name in ("boolean", "time") else "object"


def single(value: Value, column: int) -> Value:
    """The one item; where the data have more, the query fails and says where in the FHIRPath."""
    if value.choice:
        raise FhirPathError(f"say which type is meant, as in {value.choice.name}.ofType(…)", column)
    return only_of(
        value, f"column {column} of the FHIRPath needs one value and found several; choose with first()"
    )


def number(context: Context, value: Value, column: int) -> Value:
    """The value as a number; a decimal that was read as text becomes the nearest double."""
    if value.is_absent:
        return replace(absent(value.type_name), type_name="decimal")
    if kind(value) != "number":
        raise FhirPathError(f"needs a number and has {named(value)}", column)
    one = single(value, column)
    return replace(one, sql=f"cast({one.sql} as DOUBLE)") if one.type_name == "decimal" else one


def boolean(value: Value, column: int) -> str:
    """SQL of the value as true, false or NULL."""
    if value.is_absent:
        return "cast(null as BOOLEAN)"
    if kind(value) != "boolean":
        raise FhirPathError(
            f"needs true or false and has {named(value)}; write .exists() or compare it", column
        )
    return single(value, column).sql


def named(value: Value) -> str:
    """The value's type in words."""
    if value.choice:
        return f"a choice of types ({value.choice.name}); say which with ofType()"
    name = value.type_name or value.elsewhere or "nothing"
    return f"a list of {name}" if value.is_list else f"a value of type {name}"


def binary(context: Context, tree: Binary, compile_tree: Compile) -> Value:
    left, right = compile_tree(context, tree.left), compile_tree(context, tree.right)
    match tree.operator:
        case "and" | "or":
            sql = f"({boolean(left, tree.column)} {tree.operator} {boolean(right, tree.column)})"
            return Value(sql, "boolean")
        case "xor":
            return Value(f"({boolean(left, tree.column)} <> {boolean(right, tree.column)})", "boolean")
        case "implies":
            sql = f"((not {boolean(left, tree.column)}) or {boolean(right, tree.column)})"
            return Value(sql, "boolean")
        case "=" | "!=":
            return equality(context, left, right, tree)
        case "~" | "!~":
            return equivalence(left, right, tree)
        case "<" | "<=" | ">" | ">=":
            return order(context, left, right, tree)
        case "in":
            return membership(left, right, tree.column)
        case "contains":
            return membership(right, left, tree.column)
        case "|":
            return union(left, right, tree.column)
        case "&":
            return concatenation(left, right, tree.column)
        case _:
            return arithmetic(context, left, right, tree)


def check_comparable(left: Value, right: Value, tree: Binary) -> None:
    for value in (left, right):
        if value.choice or (kind(value) == "object" and not value.is_absent):
            raise FhirPathError(
                f"{tree.operator} can't compare {named(value)}; compare an element of it", tree.column
            )
    kinds = {kind(left), kind(right)}
    # Text may stand for a date or a time: constants and FHIRPath's literals are often written so.
    if left.is_absent or right.is_absent or len(kinds) == 1 or kinds in ({"text", "date"}, {"text", "time"}):
        return
    raise FhirPathError(
        f"{tree.operator} compares {named(left)} with {named(right)}, which is never true", tree.column
    )


def equality(context: Context, left: Value, right: Value, tree: Binary) -> Value:
    check_comparable(left, right, tree)
    if left.is_absent or right.is_absent:
        return Value("cast(null as BOOLEAN)", "boolean", is_absent=True)
    if left.is_list or right.is_list:
        one, other = to_list(left), to_list(right)
        sql = f"case when len({one}) > 0 and len({other}) > 0 then {one} = {other} end"
    elif "date" in (kind(left), kind(right)):
        sql = f"(date_order({left.sql}, {right.sql}) = 0)"
    else:
        sql = f"({_comparable(left)} = {_comparable(right)})"
    return Value(f"(not {sql})" if tree.operator == "!=" else sql, "boolean")


def equivalence(left: Value, right: Value, tree: Binary) -> Value:
    check_comparable(left, right, tree)
    one, other = (_comparable(single(value, tree.column)) for value in (left, right))
    if kind(left) == "text":
        one, other = (f"lower(regexp_replace(trim({s}), '\\s+', ' ', 'g'))" for s in (one, other))
    negation = "is distinct from" if tree.operator == "!~" else "is not distinct from"
    return Value(f"({one} {negation} {other})", "boolean")


def order(context: Context, left: Value, right: Value, tree: Binary) -> Value:
    check_comparable(left, right, tree)
    if left.is_absent or right.is_absent:
        return Value("cast(null as BOOLEAN)", "boolean", is_absent=True)
    if kind(left) == "boolean":
        raise FhirPathError(f"{tree.operator} has no meaning between booleans", tree.column)
    one, other = single(left, tree.column), single(right, tree.column)
    if "date" in (kind(left), kind(right)):
        return Value(f"(date_order({one.sql}, {other.sql}) {tree.operator} 0)", "boolean")
    return Value(f"({_comparable(one)} {tree.operator} {_comparable(other)})", "boolean")


def _comparable(value: Value) -> str:
    return f"cast({value.sql} as DOUBLE)" if value.type_name == "decimal" else value.sql


def membership(one: Value, collection: Value, column: int) -> Value:
    item = single(one, column)
    if item.is_absent:
        return Value("cast(null as BOOLEAN)", "boolean", is_absent=True)
    if collection.is_absent:
        return Value(f"case when {item.sql} is not null then false end", "boolean")
    sql = f"list_contains({to_list(collection)}, {item.sql})"
    return Value(f"case when {item.sql} is not null then {sql} end", "boolean")


def union(left: Value, right: Value, column: int) -> Value:
    """Both collections as one list, duplicates removed, in the order of the first appearance."""
    if right.is_absent or left.is_absent:
        kept = left if right.is_absent else right
        return kept if kept.is_absent else replace(kept, sql=f"list_distinct({to_list(kept)})", is_list=True)
    if kind(left) != kind(right) or kind(left) == "object":
        raise FhirPathError(
            f"| can't join {named(left)} and {named(right)}; use unionAll in the view", column
        )
    sql = f"list_distinct(list_concat({to_list(left)}, {to_list(right)}))"
    return Value(sql, left.type_name, is_list=True)


def concatenation(left: Value, right: Value, column: int) -> Value:
    parts = [f"coalesce(cast({single(value, column).sql} as VARCHAR), '')" for value in (left, right)]
    return Value(f"({' || '.join(parts)})", "string")


def arithmetic(context: Context, left: Value, right: Value, tree: Binary) -> Value:
    if tree.operator == "+" and "text" in (kind(left), kind(right)):
        one, other = single(left, tree.column), single(right, tree.column)
        if not (one.is_absent or other.is_absent) and kind(one) != kind(other):
            raise FhirPathError(f"+ can't add {named(left)} and {named(right)}", tree.column)
        return Value(f"({one.sql} || {other.sql})", "string")
    one, other = number(context, left, tree.column), number(context, right, tree.column)
    if one.is_absent or other.is_absent:
        return absent("decimal")
    both_integer = one.type_name in INTEGERS and other.type_name in INTEGERS
    type_name = "integer" if both_integer and tree.operator != "/" else "decimal"
    # Division by zero is empty in FHIRPath.
    divisor = f"nullif({other.sql}, 0)"
    match tree.operator:
        case "/":
            return Value(f"({one.sql} / {divisor})", type_name)
        case "div":
            return Value(f"cast(trunc({one.sql} / {divisor}) as BIGINT)", "integer")
        case "mod":
            return Value(f"({one.sql} % {divisor})", type_name)
        case _:
            return Value(f"({one.sql} {tree.operator} {other.sql})", type_name)
