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
    return replace(one, sql=_comparable(one))


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
            return membership(context, left, right, tree)
        case "contains":
            return membership(context, right, left, tree)
        case "|":
            return union(context, left, right, tree.column)
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
        sql = _equal_lists(context, left, right)
    else:
        sql = _equal(left, right, left.sql, right.sql)
    return Value(f"(not {sql})" if tree.operator == "!=" else sql, "boolean")


def _equal(left: Value, right: Value, one: str, other: str) -> str:
    """SQL that compares an item of each; NULL where one is empty, or where a precision leaves it open."""
    order_of = _order_macro(left, right)
    return (
        f"({order_of}({one}, {other}) = 0)"
        if order_of
        else f"({_number(left, one)} = {_number(right, other)})"
    )


def _equal_lists(context: Context, left: Value, right: Value) -> str:
    """Item by item, in their order."""
    one, other = to_list(left), to_list(right)
    number = next(context.names)
    item, place, all_others = f"_e{number}", f"_i{number}", f"_o{number}"
    pairs = (
        f"list_transform({one}, lambda {item}, {place}: "
        f"{_equal(left, right, item, f'{all_others}[{place}]')})"
    )
    same = f"case when list_contains({pairs}, false) then false when list_count({pairs}) = len({pairs}) then true end"
    sized = f"case when len({one}) = len({all_others}) then {same} else false end"
    some = f"case when len({one}) > 0 and len({all_others}) > 0 then {sized} end"
    return f"list_transform([{other}], lambda {all_others}: {some})[1]"


def _order_macro(left: Value, right: Value) -> str | None:
    kinds = (kind(left), kind(right))
    return "date_order" if "date" in kinds else "clock_order" if "time" in kinds else None


def equivalence(left: Value, right: Value, tree: Binary) -> Value:
    """As equality, but empty is like empty, the order of items is none, and case and spaces don't count."""
    check_comparable(left, right, tree)
    negation = "is distinct from" if tree.operator == "!~" else "is not distinct from"
    if left.is_list or right.is_list:
        one, other = (
            f"list_sort(list_transform({to_list(v)}, lambda _q: {_normal(v, '_q')}))" for v in (left, right)
        )
    else:
        one, other = (_normal(value, value.sql) for value in (left, right))
    return Value(f"({one} {negation} {other})", "boolean")


def _normal(value: Value, sql: str) -> str:
    if kind(value) == "text":
        return f"lower(regexp_replace(trim({sql}), '\\s+', ' ', 'g'))"
    return _number(value, sql)


def order(context: Context, left: Value, right: Value, tree: Binary) -> Value:
    check_comparable(left, right, tree)
    if left.is_absent or right.is_absent:
        return Value("cast(null as BOOLEAN)", "boolean", is_absent=True)
    if kind(left) == "boolean":
        raise FhirPathError(f"{tree.operator} has no meaning between booleans", tree.column)
    one, other = single(left, tree.column), single(right, tree.column)
    if order_of := _order_macro(left, right):
        return Value(f"({order_of}({one.sql}, {other.sql}) {tree.operator} 0)", "boolean")
    return Value(f"({_comparable(one)} {tree.operator} {_comparable(other)})", "boolean")


def _comparable(value: Value) -> str:
    return _number(value, value.sql)


def _number(value: Value, sql: str) -> str:
    """A decimal may have been read as text."""
    return f"cast({sql} as DOUBLE)" if value.type_name == "decimal" else sql


def membership(context: Context, one: Value, collection: Value, tree: Binary) -> Value:
    check_comparable(one, collection, tree)
    item = single(one, tree.column)
    if item.is_absent:
        return Value("cast(null as BOOLEAN)", "boolean", is_absent=True)
    if collection.is_absent:
        return Value(f"case when {item.sql} is not null then false end", "boolean")
    wanted, each = f"_e{next(context.names)}", f"_e{next(context.names)}"
    found = f"lambda {each}: coalesce({_equal(item, collection, wanted, each)}, false)"
    sql = f"list_transform([{item.sql}], lambda {wanted}: len(list_filter({to_list(collection)}, {found})) > 0)[1]"
    return Value(f"case when {item.sql} is not null then {sql} end", "boolean")


def union(context: Context, left: Value, right: Value, column: int) -> Value:
    """Both collections as one list, duplicates removed, in the order of the first appearance."""
    if right.is_absent or left.is_absent:
        kept = left if right.is_absent else right
        return (
            kept
            if kept.is_absent
            else replace(kept, sql=distinct_items(context, to_list(kept)), is_list=True)
        )
    if kind(left) != kind(right) or kind(left) == "object":
        raise FhirPathError(
            f"| can't join {named(left)} and {named(right)}; use unionAll in the view", column
        )
    type_name = wider_type(left, right)
    parts = (
        f"list_transform({to_list(v)}, lambda _q: cast(_q as DOUBLE))"
        if type_name == "decimal"
        else to_list(v)
        for v in (left, right)
    )
    return Value(distinct_items(context, f"list_concat({', '.join(parts)})"), type_name, is_list=True)


def wider_type(left: Value, right: Value) -> str | None:
    """The type that holds both: whole numbers are decimals beside a decimal."""
    names = {left.type_name, right.type_name}
    return "decimal" if "decimal" in names and names <= NUMBERS else left.type_name


def distinct_items(context: Context, items: str) -> str:
    """SQL of the list without what was there before; DuckDB's list_distinct keeps no order."""
    whole, each, place = (f"_{letter}{next(context.names)}" for letter in "lei")
    kept = f"list_filter({whole}, lambda {each}, {place}: list_position({whole}, {each}) = {place})"
    return f"list_transform([{items}], lambda {whole}: {kept})[1]"


def concatenation(left: Value, right: Value, column: int) -> Value:
    for value in (left, right):
        if not value.is_absent and kind(value) not in ("text", "date", "time"):
            raise FhirPathError(f"& joins texts, and has {named(value)}; write .toString()", column)
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
    # Division by zero is empty in FHIRPath, and so is a result that its type can't hold.
    divisor = f"nullif({other.sql}, 0)"
    match tree.operator:
        case "/":
            return Value(finite(f"{one.sql} / {divisor}"), type_name)
        case "div" if both_integer:
            return Value(f"try_cast({one.sql} // {divisor} as INTEGER)", "integer")
        case "div":
            return Value(f"try_cast(trunc({one.sql} / {divisor}) as INTEGER)", "integer")
        case "mod":
            return Value(f"({one.sql} % {divisor})", type_name)
        case _ if both_integer:
            # As wide as the result of two numbers of 32 bits, or of 64.
            wide = "HUGEINT" if "integer64" in (one.type_name, other.type_name) else "BIGINT"
            sql = f"try_cast(cast({one.sql} as {wide}) {tree.operator} {other.sql} as INTEGER)"
            return Value(sql, "integer")
        case _:
            return Value(finite(f"{one.sql} {tree.operator} {other.sql}"), type_name)


def finite(sql: str) -> str:
    """SQL of a double, empty where it is beyond a double's range."""
    return f"nullif(nullif({sql}, cast('inf' as DOUBLE)), cast('-inf' as DOUBLE))"
