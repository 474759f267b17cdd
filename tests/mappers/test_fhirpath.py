"""The grammar: precedences of FHIRPath's specification, literals, and names that are also operators."""

from __future__ import annotations

import pytest

from mappers.fhirpath import Binary, Call, Literal, Member, TypeOperator, Unary, parse


def test_operators_bind_as_the_specification_orders_them() -> None:
    tree = parse("a or b and c = d | e + f * -g")
    assert isinstance(tree, Binary)
    operators = []
    while isinstance(tree, Binary):
        operators.append(tree.operator)
        tree = tree.right
    assert operators == ["or", "and", "=", "|", "+", "*"]
    assert isinstance(tree, Unary)


def test_operators_of_one_precedence_bind_from_the_left() -> None:
    tree = parse("a - b - c")
    assert isinstance(tree, Binary)
    assert tree.left == Binary("-", Member(None, "a", 1), Member(None, "b", 5), 3)


def test_type_operator_drops_the_namespace() -> None:
    assert parse("value is FHIR.Quantity") == TypeOperator("is", Member(None, "value", 1), "Quantity", 15)


@pytest.mark.parametrize("name", ["is", "as", "in", "contains", "div", "mod", "and", "true"])
def test_operator_words_are_names_after_a_dot(name: str) -> None:
    assert parse(f"a.{name}") == Member(Member(None, "a", 1), name, 3)


def test_contains_is_a_function_and_an_operator() -> None:
    assert isinstance(parse("a.contains('x')"), Call)
    assert isinstance(parse("a contains 'x'"), Binary)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (r"'it\'s \u00e9\n'", "string", "it's é\n"),
        ("true", "boolean", "true"),
        ("12", "integer", "12"),
        ("1.20", "decimal", "1.20"),
        ("@2015-02", "date", "2015-02"),
        ("@2015T", "dateTime", "2015"),
        ("@2015-02-04T14:34:28+09:00", "dateTime", "2015-02-04T14:34:28+09:00"),
        ("@T14:34", "time", "14:34"),
        ("{ }", "empty", ""),
    ],
)
def test_literals_keep_their_written_value(text: str, kind: str, value: str) -> None:
    assert parse(text) == Literal(kind, value, 1)


def test_comments_and_line_ends_are_skipped() -> None:
    assert parse("a // the first\n .b /* the second */") == Member(Member(None, "a", 1), "b", 3)
