"""Compiles a FHIRPath tree into SQL: `expression(context, tree)` gives a `Value`.

Elements, constants and operators are here; functions are in `functions.py`.
"""

from __future__ import annotations

from dataclasses import replace

from mappers import comparisons, fhir_types
from mappers.fhir_types import Element
from mappers.fhirpath import (
    Binary,
    Call,
    Constant,
    Expression,
    FhirPathError,
    Item,
    Literal,
    Member,
    TypeOperator,
    Unary,
    Variable,
)
from mappers.functions import call
from mappers.values import (
    Choice,
    Context,
    Value,
    absent,
    decoded,
    get,
    is_some,
    not_here,
    some_types,
    text,
    without_nulls,
)

# Some steps hold their source twice in SQL, so that a path of many would never end.
LONGEST_SQL = 1 << 20


def expression(context: Context, tree: Expression) -> Value:
    """The value of a FHIRPath in a context. Raises FhirPathError with the column of what is wrong."""
    value = compiled(context, tree)
    if len(value.sql) > LONGEST_SQL:
        raise FhirPathError("is too long for one query; make it simpler, or use several columns", tree.column)
    return value


def compiled(context: Context, tree: Expression) -> Value:
    match tree:
        case Literal():
            return literal(tree)
        case Constant():
            return constant(context, tree)
        case Variable():
            return variable(context, tree)
        case Member():
            return path_step(context, tree)
        case Call():
            source = context.this if tree.source is None else expression(context, tree.source)
            return call(context, source, tree, expression)
        case Item():
            return item(context, tree)
        case Unary():
            return unary(context, tree)
        case Binary():
            return comparisons.binary(context, tree, expression)
        case TypeOperator():
            return type_operator(context, tree)


def literal(tree: Literal) -> Value:
    if tree.kind == "empty":
        return absent()
    if tree.kind == "decimal":
        return Value(f"cast({tree.text} as DOUBLE)", "decimal")
    if tree.kind == "boolean":
        return Value(tree.text, tree.kind)
    if tree.kind == "integer":
        return integer(tree)
    return Value(text(tree.text), tree.kind)


def integer(tree: Literal) -> Value:
    """FHIRPath's integers have 32 bits; one more, so that a minus may stand before it, and FHIR's integer64."""
    value = int(tree.text)
    if value >= 2**63:
        raise FhirPathError(f"a whole number is less than 2^63; write it as {tree.text}.0", tree.column)
    return Value(str(value), "integer" if value <= 2**31 else "integer64")


def constant(context: Context, tree: Constant) -> Value:
    if tree.name == "rowIndex":
        return Value(context.row_index, "integer")
    if tree.name in ("resource", "rootResource", "context"):
        return context.resource
    if tree.name in context.constants:
        return context.constants[tree.name]
    known = ", ".join(f"%{name}" for name in context.constants) or "none"
    raise FhirPathError(f"%{tree.name} is not defined; the view's constants are: {known}", tree.column)


def variable(context: Context, tree: Variable) -> Value:
    if tree.name == "$this":
        return context.this
    if tree.name == "$index" and context.index is not None:
        return Value(context.index, "integer")
    raise FhirPathError(f"{tree.name} has no meaning here; it belongs into where() or select()", tree.column)


def path_step(context: Context, tree: Member) -> Value:
    if tree.source is not None:
        return member(context, expression(context, tree.source), tree.name, tree.column)
    is_root = context.this is context.resource
    if is_root and tree.name == context.resource.type_name:
        return context.resource
    return member(context, context.this, tree.name, tree.column)


def member(context: Context, source: Value, name: str, column: int) -> Value:
    """The element `name` of `source`, in this version, or empty where only the other version has it."""
    if source.choice:
        if source.elsewhere is None or _element(context.other_version, source.elsewhere, name) is None:
            raise FhirPathError(untyped_choice(source.choice), column)
        source = not_here(source)
    if source.type_name is None and source.elsewhere is None:
        return absent(is_list=True)
    if source.is_primitive and name == "extension":
        return primitive_extension(context, source, column)
    here, elsewhere = _element(context.version, source.type_name, name), None
    if source.elsewhere:
        elsewhere = _element(context.other_version, source.elsewhere, name)
    elsewhere_type = elsewhere.type_name if elsewhere else None
    choice = _choice(context, source, name)
    if here and not source.is_absent:
        made = read(context, source, here, elsewhere_type)
        if choice and choice.choice:
            return replace(made, other_choice=frozenset(choice.choice.elsewhere))
        return made
    if choice and (here is None or source.is_absent):
        return replace(choice, elsewhere=elsewhere_type)
    if here or elsewhere:
        found = here or elsewhere
        assert found is not None
        is_list = source.is_list or found.is_list
        return absent(here.type_name if here else None, is_list=is_list, elsewhere=elsewhere_type)
    if context.is_lenient:
        return absent(is_list=True)
    raise FhirPathError(unknown_element(context, source, name), column)


def _element(version: str, type_name: str | None, name: str) -> Element | None:
    if type_name is None or not fhir_types.has_type(version, type_name):
        return None
    found = fhir_types.elements(version, type_name).get(name)
    return None if found is None or found.choice else found


def _choice(context: Context, source: Value, name: str) -> Value | None:
    here = fhir_types.choices(context.version, source.type_name or "", name)
    elsewhere = fhir_types.choices(context.other_version, source.elsewhere or "", name)
    if not here and not elsewhere:
        return None
    return Value("null", None, is_list=source.is_list, choice=Choice(source, name, here, elsewhere))


def read(context: Context, source: Value, element: Element, elsewhere: str | None) -> Value:
    """The element of a source that is there: a field of its struct, mapped over its items."""
    is_primitive = element.type_name in fhir_types.PRIMITIVES
    if source.field is None:
        raise AssertionError("an object without a field")
    of = context.fields.child(source.field, element, is_primitive=is_primitive)
    made = Value("", element.type_name, False, of, is_primitive, elsewhere, parent=source)
    if not source.is_list:
        sql = get(decoded(context, source).sql, element.json_name)
        if element.is_list and is_primitive:
            # A JSON null in a list of primitives stands for a value that has only an extension.
            sql = without_nulls(context, sql)
        return replace(made, sql=sql, is_list=element.is_list)
    if source.mapped and source.mapped[0] == source.sql:
        _, list_sql, name, body = source.mapped
    else:
        list_sql, name, body = decoded(context, source).sql, f"_e{next(context.names)}", ""
    one = context.fields.decode(body, source.field, is_list=False) if body else name
    body = get(one, element.json_name)
    mapped = f"list_transform({list_sql}, lambda {name}: {body})"
    if element.is_list:
        flat = f"flatten({mapped})"
        return replace(made, sql=without_nulls(context, flat) if is_primitive else flat, is_list=True)
    sql = without_nulls(context, mapped)
    return replace(made, sql=sql, is_list=True, mapped=(sql, list_sql, name, body))


def primitive_extension(context: Context, source: Value, column: int) -> Value:
    """The extensions of a primitive, which JSON holds in `_name` beside it."""
    if source.parent is None or source.field is None or source.is_list or source.parent.is_list:
        raise FhirPathError("the extensions of a list of primitives can't be read; choose one item", column)
    name = f"_{source.field.name}"
    holder = read(context, source.parent, Element(name, "Element", False), "Element")
    return member(context, holder, "extension", column)


def unknown_element(context: Context, source: Value, name: str) -> str:
    type_name = source.type_name or source.elsewhere or ""
    if source.is_primitive:
        return f"{name!r} can't be asked of a {type_name}, which has no elements; end the path before it"
    both = ((context.version, source.type_name), (context.other_version, source.elsewhere))
    for version, found_type in both:
        if found_type and fhir_types.has_type(version, found_type):
            element = fhir_types.elements(version, found_type).get(name)
            if element and element.choice:
                return f"{name!r} is JSON's name; write {element.choice}.ofType({element.type_name})"
    near = next((n for v, t in both if t and (n := fhir_types.nearest(v, t, name))), None)
    advice = f"; did you mean {near!r}?" if near else ""
    return f"{type_name} has no element {name!r} in R4B or R5{advice}"


def untyped_choice(choice: Choice) -> str:
    first = next(iter({**choice.here, **choice.elsewhere}))
    return (
        f"{choice.name} may be of several types ({some_types(choice)}); "
        f"say which, as in {choice.name}.ofType({first})"
    )


def item(context: Context, tree: Item) -> Value:
    source = expression(context, tree.source)
    index = expression(context, tree.index)
    if index.type_name not in fhir_types.INTEGERS or index.is_list:
        raise FhirPathError("an index must be one whole number, as in name[0]", tree.column)
    if source.choice:
        raise FhirPathError(untyped_choice(source.choice), tree.column)
    if isinstance(tree.index, Literal) and int(index.sql) >= 2**31:
        raise FhirPathError("an index is less than 2^31", tree.column)
    if source.is_absent:
        return replace(source, is_list=False)
    if not source.is_list:
        return replace(source, sql=f"case when {index.sql} = 0 then {source.sql} end")
    # A negative subscript would count from the end in DuckDB; FHIRPath says empty.
    if isinstance(tree.index, Literal):
        return replace(source, sql=f"({source.sql})[{int(index.sql) + 1}]", is_list=False)
    sql = f"case when {index.sql} >= 0 then ({source.sql})[{index.sql} + 1] end"
    return replace(source, sql=sql, is_list=False)


def unary(context: Context, tree: Unary) -> Value:
    operand = comparisons.number(context, expression(context, tree.operand), tree.column)
    return replace(operand, sql=f"({tree.operator}{operand.sql})", field=None)


def type_operator(context: Context, tree: TypeOperator) -> Value:
    as_type = Member(None, tree.type_name, tree.column)
    source = expression(context, tree.operand)
    of_type = call(context, source, Call(None, "ofType", (as_type,), tree.column), expression)
    if tree.operator == "as":
        return of_type
    if source.choice is None:
        is_it = source.type_name == tree.type_name
        one = comparisons.single(source, tree.column)
        return Value(f"case when {is_some(one)} then {str(is_it).lower()} end", "boolean")
    return Value(is_some(of_type), "boolean")
