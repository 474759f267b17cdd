"""FHIRPath's own rules beyond the suite: what the specification says, in tables by hand.

Source: FHIRPath 2.0 (ANSI/HL7 NMN R1) and SQL on FHIR v2. `[]` is the empty collection.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mappers.compiler import compile_view
from mappers.references import install_macros
from mappers.view import view_from

PATIENT = {
    "id": "p",
    "active": True,
    "gender": "male",
    "birthDate": "1970-06",
    "deceasedDateTime": "2020-01-05T10:00:00+09:00",
    "multipleBirthInteger": 3,
    "name": [
        {"use": "official", "family": "O'Neil", "given": ["A", "B"]},
        {"use": "usual", "family": "Z", "given": ["C"]},
        {"text": "t"},
    ],
    "telecom": [{"system": "phone", "rank": 2}, {"system": "email", "rank": 1}],
    "extension": [
        {"url": "u1", "valueString": "v"},
        {"url": "u2", "extension": [{"url": "in", "valueInteger": 4}]},
    ],
    "contact": [{"name": {"family": "Q"}}],
}


def value_of(path: str, resource: dict[str, Any], resource_type: str, folder: Path, **options: Any) -> Any:
    """What a column with a list gives for the path."""
    column = {"name": "x", "path": path, "collection": True}
    view = view_from({"resource": resource_type, "select": [{"column": [column]}]}, file="v.json")
    compiled = compile_view(view, **options)
    (folder / "r.ndjson").write_text(json.dumps({"resource": resource}))
    relation = f"read_json('{folder}/r.ndjson', columns = {{resource: '{compiled.struct}'}})"
    with duckdb.connect() as connection:
        install_macros(connection, b"key")
        [(value,)] = connection.execute(compiled.select(relation, passthrough=())).fetchall()
    return value


def assert_gives(path: str, expected: list[Any], folder: Path) -> None:
    value = value_of(path, PATIENT, "Patient", folder)
    assert (value, [type(item) for item in value]) == (expected, [type(item) for item in expected])


PRECEDENCE = [
    ("-1 + 2", [1]),
    ("1 - -1", [2]),
    ("-2 * 3", [-6]),
    ("2 + 3 * 4", [14]),
    ("(2 + 3) * 4", [20]),
    ("--1", [1]),
    ("1 + 2 | 3", [3]),
    ("1 | 2 | 1", [1, 2]),
    ("1 = 1 and 2 = 2", [True]),
    ("true or false and false", [True]),
    ("1 < 2 = true", [True]),
    ("1 + 1 in (2 | 3)", [True]),
    ("'a' & 'b' = 'ab'", [True]),
    ("false implies true and false", [True]),
    ("true xor true or true", [True]),
    ("-multipleBirth.ofType(integer)", [-3]),
    ("7.lowBoundary() < 7", [True]),
    ("-7.highBoundary()", [-7.5]),
]
LOGIC = [
    ("{} and false", [False]),
    ("{} and true", []),
    ("{} or true", [True]),
    ("{} or false", []),
    ("{} and {}", []),
    ("true xor {}", []),
    ("false implies {}", [True]),
    ("{} implies true", [True]),
    ("true implies {}", []),
    ("{} implies false", []),
    ("{}.not()", []),
    ("{} = {}", []),
    ("{} = 1", []),
    ("{} != 1", []),
    ("{} ~ {}", [True]),
    ("{} !~ 1", [True]),
    ("{}.exists()", [False]),
    ("{}.empty()", [True]),
    ("{}.count()", [0]),
    ("{} + 1", []),
    ("{} & 'a'", ["a"]),
    ("'a' + {}", []),
    ("{} in name.use", []),
    ("'x' in {}", [False]),
    ("iif({}, 'y', 'n')", ["n"]),
    ("iif(false, 'y')", []),
    ("name.where({}).family", []),
    ("gender.where({})", []),
    ("{}.allTrue()", [True]),
    ("name.all(use.exists())", [False]),
    ("name.period.start > @2000", []),
    ("active.not()", [False]),
]
NUMBERS = [
    ("7 div 2", [3]),
    ("-7 div 2", [-3]),
    ("7 mod 2", [1]),
    ("-7 mod 2", [-1]),
    ("7 / 2", [3.5]),
    ("1 / 0", []),
    ("1 div 0", []),
    ("5 mod 0", []),
    ("1 = 1.0", [True]),
    ("1.10 = 1.1", [True]),
    ("1 ~ 1.0", [True]),
    ("multipleBirth.ofType(integer) + 1", [4]),
    ("multipleBirth.ofType(integer) > 2.5", [True]),
    ("multipleBirth.ofType(integer) = 3.0", [True]),
    ("multipleBirth.ofType(integer) * 10000000000", []),
    ("2147483647 + 1", []),
    ("(1 | 2.5).skip(1)", [2.5]),
    ("iif(false, 1, 2.5)", [2.5]),
    ("iif(true, 1, 2.5)", [1.0]),
    ("(-1.5).ceiling()", [-1]),
    ("(-1.5).floor()", [-2]),
    ("(-1.5).truncate()", [-1]),
    ("(3.14159).round(2)", [3.14]),
    ("(-1).sqrt()", []),
    ("16.sqrt()", [4.0]),
    ("(-5).abs()", [5]),
    ("1.lowBoundary()", [0.5]),
    ("(1.587).lowBoundary()", [1.5865]),
    ("(1.587).highBoundary()", [1.5875]),
    ("(-1.5).lowBoundary()", [-1.55]),
    ("1.5 in (1.5 | 2)", [True]),
    ("9007199254740993 = 9007199254740992", [False]),
]
TEXTS = [
    ("'it\\'s'", ["it's"]),
    ("'a\\nb'", ["a\nb"]),
    ("'\\u0041'", ["A"]),
    ("'\\\\'", ["\\"]),
    ("'a\\/b'", ["a/b"]),
    ("'\\\"'", ['"']),
    ("'\\`'", ["`"]),
    ("'\\ud83d\\ude00'", ["😀"]),
    ("'abc' ~ 'ABC'", [True]),
    ("'a  b' ~ 'a b'", [True]),
    ("'a' = 'a '", [False]),
    ("'abc'.substring(1)", ["bc"]),
    ("'abc'.substring(1, 1)", ["b"]),
    ("'abc'.substring(5)", []),
    ("'abc'.substring(-1)", []),
    ("'abc'.indexOf('c')", [2]),
    ("'abc'.indexOf('z')", [-1]),
    ("'abc'.startsWith('')", [True]),
    ("'a.b'.matches('a\\\\.b')", [True]),
    ("'abc'.replace('b', '')", ["ac"]),
    ("name.given.join(',')", ["A,B,C"]),
    ("name.given.join()", ["ABC"]),
    ("name.where(use = 'x').given.join(',')", []),
    ("name.use.first() & ' ' & name.family.first()", ["official O'Neil"]),
    ("name.family.select($this.lower())", ["o'neil", "z"]),
    ("'1'.toInteger()", [1]),
    ("'1.5'.toInteger()", []),
    ("'a'.toInteger()", []),
    ("'1.5'.toDecimal()", [1.5]),
    ("'1e5'.toDecimal()", []),
    ("true.toString()", ["true"]),
    ("'yes'.toBoolean()", [True]),
    ("'maybe'.toBoolean()", []),
    ("1.toBoolean()", [True]),
    ("2.toBoolean()", []),
    ("true.toInteger()", [1]),
    ("multipleBirth.ofType(integer).toString() + 'x'", ["3x"]),
]
COLLECTIONS = [
    ("name.given", ["A", "B", "C"]),
    ("name[0].given[1]", ["B"]),
    ("name.given[2]", ["C"]),
    ("name[5].family", []),
    ("name[-1].family", []),
    ("name.given.last()", ["C"]),
    ("name.given.tail()", ["B", "C"]),
    ("name.given.skip(1).take(1)", ["B"]),
    ("name.where(use = 'official').family", ["O'Neil"]),
    ("name.where($index = 1).family", ["Z"]),
    ("name.where(given.count() > 1).use", ["official"]),
    ("name.given.where($this = 'B')", ["B"]),
    ("name.select(given.first())", ["A", "C"]),
    ("name.select(use + '!')", ["official!", "usual!"]),
    ("name.select($index)", [0, 1, 2]),
    ("name.family | name.given", ["O'Neil", "Z", "A", "B", "C"]),
    ("('b' | 'a' | 'b')", ["b", "a"]),
    ("telecom.rank.where($this > 1)", [2]),
    ("name.given = name.given", [True]),
    ("name.given = ('C' | 'B' | 'A')", [False]),
    ("name.given ~ ('c' | 'B' | 'A')", [True]),
    ("name.given != ('A' | 'B')", [True]),
    ("name.given = ('A' | 'B' | 'C')", [True]),
    ("name.where(given contains 'C').family", ["Z"]),
    ("name.where(family = %resource.name[1].family).use", ["usual"]),
    ("name.use.distinct()", ["official", "usual"]),
    ("name.use.isDistinct()", [True]),
    ("name.count()", [3]),
    ("name[0].where(use = 'x').given", []),
    ("id.where($this = 'p')", ["p"]),
    ("id.where($this = 'q')", []),
    ("extension('u1').value.ofType(string)", ["v"]),
    ("extension('zz').value.ofType(string)", []),
    ("extension('u2').extension('in').value.ofType(integer)", [4]),
    ("extension.where(url = 'u1').value.ofType(string)", ["v"]),
    ("multipleBirth is integer", [True]),
    ("multipleBirth is boolean", [False]),
    ("multipleBirth.ofType(boolean)", []),
    ("deceased.exists()", [True]),
    ("deceased.empty()", [False]),
    ("Patient.name.family", ["O'Neil", "Z"]),
    ("`name`.`given`.first()", ["A"]),
    ("/* c */ id // end", ["p"]),
    ("getResourceKey()", ["Patient/p"]),
]
TIMES = [
    ("birthDate = @1970-06", [True]),
    ("birthDate = @1970", []),
    ("birthDate = @1971", [False]),
    ("birthDate < @1970-06-15", []),
    ("birthDate < @1970-07-15", [True]),
    ("birthDate > @1969", [True]),
    ("birthDate != @1970-06-01", []),
    ("birthDate ~ @1970-06-01", [False]),
    ("birthDate = '1970-06'", [True]),
    ("deceased.ofType(dateTime) = @2020-01-05T01:00:00Z", [True]),
    ("deceased.ofType(dateTime) = @2020-01-05T01:00:00.000Z", [True]),
    ("deceased.ofType(dateTime) > @2020-01-05T00:59:59.999Z", [True]),
    # One has an offset and the other none: only what is further apart than the earth is wide is certain.
    ("deceased.ofType(dateTime) = @2020-01-05T10:00:00", []),
    ("deceased.ofType(dateTime) > @2020-01-04T01:00:00", [True]),
    ("deceased.ofType(dateTime) > @2020-01-05", []),
    ("deceased.ofType(dateTime) > @2020-01-04", [True]),
    ("@2020-01-05T10:00Z = @2020-01-05T10:00:00Z", []),
    ("@2020-01-05T10:00Z < @2020-01-05T11:00:00Z", [True]),
    ("@2020-01-05T10Z < @2020-01-05T11:00:00Z", [True]),
    ("@2020-01-05T10Z < @2020-01-05T10:30Z", []),
    ("@2016-12-31T23:59:60Z = @2017-01-01T00:00:00Z", [True]),
    ("@T10:00 = @T10:00:00", []),
    ("@T10:00 < @T10:01", [True]),
    ("@T10:00:00 = @T10:00:00.000", [True]),
    ("@T10:00 < @T10:00:30", []),
    ("@T09 < @T10:00", [True]),
    ("birthDate.lowBoundary()", ["1970-06-01"]),
    ("birthDate.highBoundary()", ["1970-06-30"]),
    ("@2020-02.highBoundary()", ["2020-02-29"]),
    ("@T10.highBoundary()", ["10:59:59.999"]),
    ("deceased.ofType(dateTime).lowBoundary()", ["2020-01-05T10:00:00.000+09:00"]),
]


@pytest.mark.parametrize(("path", "expected"), [*PRECEDENCE, *LOGIC, *NUMBERS, *TEXTS, *COLLECTIONS, *TIMES])
def test_path_gives_what_the_specification_says(path: str, expected: list[Any], tmp_path: Path) -> None:
    assert_gives(path, expected, tmp_path)


EXACT = [
    ("value.ofType(Quantity).value", ["1.50"]),
    ("value.ofType(Quantity).value = 1.5", [True]),
    ("value.ofType(Quantity).value > 1.4", [True]),
    ("value.ofType(Quantity).value in (1.5 | 2.0)", [True]),
    ("value.ofType(Quantity).value.toString()", ["1.50"]),
    ("value.ofType(Quantity).value.lowBoundary()", ["1.495"]),
    ("component.value.ofType(Quantity).value = component.value.ofType(Quantity).value", [True]),
]


@pytest.mark.parametrize(("path", "expected"), EXACT)
def test_decimal_kept_as_text_is_compared_as_a_number(path: str, expected: list[Any], tmp_path: Path) -> None:
    quantity = {"value": "1.50"}
    resource = {"id": "o", "valueQuantity": quantity, "component": [{"valueQuantity": quantity}]}
    assert value_of(path, resource, "Observation", tmp_path, exact_decimals=True) == expected
