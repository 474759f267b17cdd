"""Keys of resources and references, boundaries and dates: the macros that views call."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import duckdb
import pytest

from mappers.references import install_macros

KEY = b"a key of the home"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        install_macros(made, KEY)
        yield made


def one(connection: duckdb.DuckDBPyConnection, sql: str, *values: object) -> object:
    row = connection.execute(f"select {sql}", list(values)).fetchone()
    assert row is not None
    return row[0]


def digest(text: str) -> str:
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("Patient/1", "Patient/1"),
        ("Patient/1/_history/2", "Patient/1"),
        ("https://host/fhir/Patient/1", "Patient/1"),
        ("https://host/fhir/Patient/1/_history/2", "Patient/1"),
        ("Patient/with_underscore", "Patient/with_underscore"),
        ("urn:uuid:0A1B", "urn:uuid:0a1b"),
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("#med1", "MedicationRequest/77#med1"),
        ("#", "MedicationRequest/77"),
        ("Patient?identifier=http://mrn|7", f"Patient?identifier={digest('http://mrn|7')}"),
        ("Patient?identifier=http%3A%2F%2Fmrn%7C7", f"Patient?identifier={digest('http://mrn|7')}"),
        ("Patient?name=Kim", None),
        ("no reference", None),
        ("", None),
        (None, None),
    ],
)
def test_every_form_of_a_literal_reference_gives_the_key_of_its_resource(
    connection: duckdb.DuckDBPyConnection, reference: str | None, key: str | None
) -> None:
    sql = "reference_key(?, null, null, null, 'MedicationRequest/77')"
    assert one(connection, sql, reference) == key


def test_reference_by_identifier_gives_its_keyed_hash(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "reference_key(?, ?, ?, ?, 'Observation/1')"
    hashed = digest("http://mrn|7")
    assert one(connection, sql, None, "Patient", "http://mrn", "7") == f"Patient?identifier={hashed}"
    assert one(connection, sql, None, None, "http://mrn", "7") == f"?identifier={hashed}"
    assert one(connection, sql, "unusable", "Patient", "http://mrn", "7") == f"Patient?identifier={hashed}"
    assert one(connection, sql, None, "Patient", None, None) is None


@pytest.mark.parametrize(
    ("key", "type_name", "is_kept"),
    [
        ("Patient/1", None, True),
        ("Group/1", None, False),
        ("urn:uuid:1", None, True),
        ("urn:uuid:1", "Group", False),
        ("MedicationRequest/77#p", None, True),
    ],
)
def test_key_of_a_wrong_type_is_empty_and_of_an_unsaid_type_is_kept(
    connection: duckdb.DuckDBPyConnection, key: str, type_name: str | None, is_kept: bool
) -> None:
    assert one(connection, "key_of_type(?, ?, 'Patient')", key, type_name) == (key if is_kept else None)


def test_long_key_is_hashed_first_as_hmac_says() -> None:
    long_key = b"k" * 65
    with duckdb.connect() as made:
        install_macros(made, long_key)
        assert one(made, "identity_hash('a')") == hmac.new(long_key, b"a", hashlib.sha256).hexdigest()


# Cases of FHIRPath's specification, section lowBoundary and highBoundary, and by hand.
@pytest.mark.parametrize(
    ("macro", "written", "low", "high"),
    [
        ("decimal", "1.0", 0.95, 1.05),
        ("decimal", "1.10", 1.095, 1.105),
        ("decimal", "5", 4.5, 5.5),
        ("decimal", "-1.5", -1.55, -1.45),
        ("decimal", "1e2", 50.0, 150.0),
        ("date", "2012", "2012-01-01", "2012-12-31"),
        ("date", "2012-02", "2012-02-01", "2012-02-29"),
        ("datetime", "2010-10", "2010-10-01T00:00:00.000+14:00", "2010-10-31T23:59:59.999-12:00"),
        ("datetime", "2010-10-10T10:20:30Z", "2010-10-10T10:20:30.000Z", "2010-10-10T10:20:30.999Z"),
        ("time", "12:34", "12:34:00.000", "12:34:59.999"),
    ],
)
def test_boundaries_follow_the_written_precision(
    connection: duckdb.DuckDBPyConnection, macro: str, written: str, low: object, high: object
) -> None:
    assert one(connection, f"low_boundary_{macro}(?)", written) == low
    assert one(connection, f"high_boundary_{macro}(?)", written) == high


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("2010", "2011-01", -1),
        ("2010", "2010-01", None),
        ("2010", "2010", 0),
        ("2010-01-02", "2010-01-01", 1),
        ("2010-01-01T00:00:00Z", "2010-01-01T01:00:00+01:00", 0),
        ("2010-01-01T00:00:00Z", "2010-01-01", None),
    ],
)
def test_dates_of_different_precision_have_no_order_where_it_matters(
    connection: duckdb.DuckDBPyConnection, left: str, right: str, order: int | None
) -> None:
    assert one(connection, "date_order(?, ?)", left, right) == order
