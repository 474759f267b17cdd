"""An error in a view says where it is, what is wrong and what would be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mappers.compiler import compile_view
from mappers.references import install_macros
from mappers.view import ViewError, read_view, view_from


def error_of(view: dict[str, Any]) -> str:
    with pytest.raises(ViewError) as caught:
        compile_view(view_from(view, file="v.json"))
    return str(caught.value)


def view(path: str = "id", type_name: str | None = None, **others: Any) -> dict[str, Any]:
    column = {"name": "x", "path": path} | ({"type": type_name} if type_name else {})
    return {"resource": "Observation", "select": [{"column": [column]}]} | others


AT = "v.json: select[0].column[0].path, column"

PATHS = [
    ("code.codin.code", "6: CodeableConcept has no element 'codin' in R4B or R5; did you mean 'coding'?"),
    ("valueQuantity.value", "1: 'valueQuantity' is JSON's name; write value.ofType(Quantity)"),
    ("value.ofType(Quantty)", "14: value is never of type Quantty; did you mean Quantity?"),
    ("status.foo", "8: 'foo' can't be asked of a code, which has no elements; end the path before it"),
    ("code", "1: gives a value of type CodeableConcept, an object; end the path at one of its elements"),
    ("status.frst()", "8: there is no function frst(); did you mean first()?"),
    ("status and true", "8: needs true or false and has a value of type code; write .exists() or compare it"),
    ("status = 1", "8: = compares a value of type code with a value of type integer, which is never true"),
    ("%foo", "1: %foo is not defined; the view's constants are: none"),
    ("code.", "6: the FHIRPath ends too early; expected a name"),
    ("@@", "1: '@' can't stand here; expected a name or a text in '…' or a number"),
    ("a b", "3: 'b' can't stand here"),
    ("", "1: the FHIRPath is empty; write at least a name"),
    ("4 'mg'", "1: a quantity literal is not supported; compare .value and .code one by one"),
    ("status.getReferenceKey()", "8: getReferenceKey() needs a Reference and has a value of type code"),
    ("status.first(1)", "8: first() takes 0 arguments, not 1"),
    ("code.coding['a']", "13: an index must be one whole number, as in name[0]"),
    ("code.coding.code.allTrue()", "18: allTrue() needs booleans and has a list of code"),
    ("'a\\qb'", "3: \\q is no escape; use \\' \\\" \\` \\\\ \\/ \\f \\n \\r \\t or \\uXXXX"),
    ("'\\ud800'", "1: half of a surrogate pair is no character; write both halves"),
    ("'\\u0000'", "1: a text can't hold the character NUL"),
    ("issued > @2020-13-45", "10: @2020-13-45 is no date that exists"),
    ("value.ofType(time) > @T99", "22: @T99 is no time of day"),
    ("component[9999999999].code.text", "11: an index is less than 2^31"),
    ("99999999999999999999", "1: a whole number is less than 2^63; write it as 99999999999999999999.0"),
    (
        "subject.getReferenceKey(Patent)",
        "25: Patent is no resource type; write it as in FHIR, as in getReferenceKey(Patient)",
    ),
    (
        "iif(true, 'a', 1)",
        "1: iif() gives a value of type string or a value of type integer; give both one type",
    ),
    ("1 & 'a'", "3: & joins texts, and has a value of type integer; write .toString()"),
    ("'" + "x" * 200_000 + "'", "1: the FHIRPath has 200002 characters; write one of at most 100000"),
    ("id.where($total)", "10: $total has no meaning here; it belongs into where() or select()"),
    ("code.toString()", "6: toString() needs a primitive and has a value of type CodeableConcept"),
    ("$index", "1: $index has no meaning here; it belongs into where() or select()"),
]


@pytest.mark.parametrize(("path", "message"), PATHS)
def test_error_in_a_path_names_its_column_and_what_would_be_right(path: str, message: str) -> None:
    assert error_of(view(path)) == f"{AT} {message}"


def test_choice_without_a_type_names_some_types() -> None:
    message = error_of(view("value"))
    assert message.startswith(f"{AT} 1: value may be of several types (boolean, CodeableConcept, ")
    assert message.endswith("; say which, as in value.ofType(boolean)")


VIEWS = [
    (
        view(resource="Patien"),
        "resource: 'Patien' is no resource type of R4B or R5; write it as in FHIR, as in Patient",
    ),
    (view(selet=[]), "selet: is no key of this part of a view; did you mean 'select'?"),
    (
        view("id", "strng"),
        "select[0].column[0].type: 'strng' is no primitive FHIR type; did you mean 'string'?",
    ),
    (
        view("status", "integer"),
        'select[0].column[0].type: is "integer", and the path gives a code; write "code"',
    ),
    (
        view(where=[{"path": "status"}]),
        "where[0].path, column 1: a view's where needs true or false and has a value of type code; "
        "write .exists() or compare it",
    ),
    (
        view(where=[{"path": "name."}]),
        "where[0].path, column 6: the FHIRPath ends too early; expected a name",
    ),
    (
        view(constant=[{"name": "a"}]),
        'constant[0]: has 0 values; give it one, as in "valueString": "official"',
    ),
    (view(constant=[{"name": "a", "valueInteger": "1"}]), "constant[0].valueInteger: must be a whole number"),
    (view("id", 7), "select[0].column[0].type: must be a FHIR type as text, not a number"),
    (view(name=7), 'name: must be a text; leave it out, or write it as in "name": "patients"'),
    (
        view(resource="HumanName"),
        "resource: 'HumanName' is no resource type of R4B or R5; write it as in FHIR, as in Patient",
    ),
    (
        view("'a\0'"),
        "select[0].column[0].path, column 3: has a NUL or half of a surrogate pair, which is no character",
    ),
    (
        view(constant=[{"name": "a", "valueInteger": 2**31}]),
        "constant[0].valueInteger: must be between -2147483648 and 2147483647, as every integer",
    ),
    (
        view(constant=[{"name": "a", "valueDate": "2024-02-30"}]),
        "constant[0].valueDate: must be a date as FHIR writes it, as in '2024-02-29'",
    ),
    (
        view(constant=[{"name": "a", "valueDecimal": float("nan")}]),
        "constant[0].valueDecimal: must be a number that a double can hold",
    ),
    (
        view(constant=[{"name": "a", "valueString": "x"}, {"name": "a", "valueString": "y"}]),
        "constant[1].name: 'a' is also the name of constant[0]; rename one",
    ),
    (
        view(constant=[{"name": "rowIndex", "valueString": "x"}]),
        "constant[0].name: %rowIndex means something else in every view; choose another name",
    ),
    (
        view(constant=[{"name": "a'b", "valueString": "x"}]),
        "constant[0].name: \"a'b\" is no constant's name; use letters, digits and _",
    ),
    (
        view(constant=[{"name": "a", "valueString": "x", "note": "y"}]),
        "constant[0].note: is no key of a constant; it has a name and a value",
    ),
    (
        view(select=[{"repeat": ["$this"], "column": [{"name": "i", "path": "id"}]}]),
        "select[0].repeat: repeat would stay where it is for ever; name an element",
    ),
    (
        view(select=[{"repeat": ["status"], "column": [{"name": "i", "path": "$this"}]}]),
        "select[0].repeat: repeat needs elements that have elements, and has a value of type code",
    ),
    (view(select=[]), "select: must be a list with at least one item, not a list"),
    (
        view(select=[{"forEach": 1}]),
        'select[0].forEach: must be a FHIRPath as text, not a number; write it in "…"',
    ),
    (
        view(select=[{"forEach": "a", "forEachOrNull": "b", "column": [{"name": "i", "path": "id"}]}]),
        "select[0]: has forEach and forEachOrNull; keep one, and nest the other in a select",
    ),
    (
        view(select=[{"column": [{"name": "i", "path": "id"}, {"name": "I", "path": "id"}]}]),
        "select[0].column[1].name: 'I' is also the name of select[0].column[0]; rename one",
    ),
    (
        view(select=[{"column": [{"name": "1i", "path": "id"}]}]),
        "select[0].column[0].name: '1i' is no column name; use letters, digits and _, a letter first",
    ),
    (
        view(
            select=[
                {
                    "unionAll": [
                        {"column": [{"name": "a", "path": "id"}]},
                        {"column": [{"name": "b", "path": "id"}]},
                    ]
                }
            ]
        ),
        "select[0].unionAll[1]: has the columns b, the first branch a; "
        "give every branch the same, in the same order",
    ),
]


@pytest.mark.parametrize(("content", "message"), VIEWS)
def test_error_in_a_view_names_its_place(content: dict[str, Any], message: str) -> None:
    assert error_of(content) == f"v.json: {message}"


def test_missing_file_and_broken_json_are_named(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match="there is no such file"):
        read_view(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text('{"resource": "Patient",\n "select": ]}')
    with pytest.raises(ViewError, match=r"broken.json: line 2, column 12: is not JSON"):
        read_view(broken)


def test_selects_within_selects_end_somewhere() -> None:
    nested: dict[str, Any] = {"column": [{"name": "i", "path": "id"}]}
    for _ in range(100):
        nested = {"select": [nested]}
    assert error_of(view(select=[nested])) == "v.json: selects more than 64 levels deep; make it flatter"


def test_a_path_whose_query_would_grow_without_end_is_an_error() -> None:
    path = "id" + ".substring(0).single()" * 40
    assert error_of(view(path)).endswith("is too long for one query; make it simpler, or use several columns")


def test_a_mark_before_the_json_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text("\ufeff" + json.dumps(view()), encoding="utf-8")
    assert read_view(tmp_path / "v.json").resource == "Observation"


def test_several_values_for_a_single_column_stop_the_query_without_showing_them(tmp_path: Path) -> None:
    compiled = compile_view(view_from(view("code.coding.code"), file="v.json"))
    resource = {"id": "1", "code": {"coding": [{"code": "secret-a"}, {"code": "secret-b"}]}}
    (tmp_path / "r.ndjson").write_text(json.dumps({"resource": resource}))
    relation = f"read_json('{tmp_path}/r.ndjson', columns = {{resource: '{compiled.struct}'}})"
    with duckdb.connect() as connection:
        install_macros(connection, b"key")
        with pytest.raises(duckdb.InvalidInputException) as caught:
            connection.execute(compiled.select(relation, passthrough=())).fetchall()
    assert "select[0].column[0].path gives more than one value for a resource" in str(caught.value)
    assert 'choose with first(), or give the column "collection": true' in str(caught.value)
    assert "secret" not in str(caught.value)
