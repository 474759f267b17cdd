"""What is said of a query that fails: the kind of error and the place in the query, never a value of the data."""

from __future__ import annotations

import re

import duckdb

from flows.query_output import inner, visible

# These speak of the query's text, of the tables' names and of memory; all others can cite a cell.
WITHOUT_VALUES = (
    duckdb.ParserException,
    duckdb.SyntaxException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
)
PLACE = re.compile(r"\n\nLINE (\d+): (.*)\n( *)\^\s*\Z")
# The beginnings of messages that go on with values; a message can be data as a whole, so only these are told.
KNOWN = (
    "More than one row returned by a subquery",
    "Overflow in addition",
    "Overflow in subtraction",
    "Overflow in multiplication",
    "Values were not provided for the following prepared statement parameters",
)
CAST_TO = re.compile(
    r" to (?:the destination type )?"
    r"(U?INT\d+|U?HUGEINT|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|BOOL|UUID|DATE|TIME\w*(?: WITH TIME ZONE)?|INTEGER)"
    r"(?:\[\])*(?: when casting from source column .*)?\Z"
)
CAST_FROM = re.compile(r" when casting from source column (\w+)\Z")


def told(error: duckdb.Error, query: str, lines_before: int) -> str:
    """One line on an error of DuckDB; `lines_before` are those that were put before the query's own.

    Of an error that can cite a cell only the kind is told, and what the query itself holds.
    """
    message = str(error)
    place = PLACE.search(message)
    said = message[: place.start()] if place else message
    is_safe = isinstance(error, WITHOUT_VALUES)
    text = said.splitlines()[0] if is_safe else _kind(error) + _detail(error, said, query)
    return visible(text) + (_place(place, lines_before) if place else "")


def located(connection: duckdb.DuckDBPyConnection, query: str, limit: int) -> duckdb.Error | None:
    """Runs a select that failed once more, up to `limit` rows, for an error with its place in the query.

    None when it doesn't fail again.
    """
    try:
        connection.execute(f"copy (from (\n{inner(query)}\n) limit {limit}) to '/dev/null' (format csv)")
    except duckdb.Error as error:
        return error
    return None


def _kind(error: duckdb.Error) -> str:
    """Such as `Out of Range Error`, from the name of the class: a message can be made of data as a whole."""
    words = re.findall(r"[A-Z][a-z]*", type(error).__name__.removesuffix("Exception").removesuffix("Error"))
    return " ".join([*(word.lower() if word in {"Of"} else word for word in words), "Error"])


def _detail(error: duckdb.Error, said: str, query: str) -> str:
    if isinstance(error, duckdb.ConversionException):
        kind, column = CAST_TO.search(said), CAST_FROM.search(said)
        is_named = column and re.search(rf"\b{re.escape(column[1])}\b", query, re.IGNORECASE)
        of_column = f" of column {column[1]}" if column and is_named else ""
        return f": a value{of_column} can't be converted{f' to {kind[1]}' if kind else ''}"
    words = said.partition(": ")[2]
    known = next((beginning for beginning in KNOWN if words.startswith(beginning)), None)
    return f": {known}" if known else " (its text isn't shown, for it can cite the data)"


def _place(place: re.Match[str], lines_before: int) -> str:
    line = int(place[1]) - lines_before
    column = len(place[3]) - len(f"LINE {place[1]}: ") + 1
    # DuckDB shows only a part of a long line; the column isn't known then.
    return f" (line {line})" if place[2].startswith("...") else f" (line {line}, column {column})"
