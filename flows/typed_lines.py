"""Files of JSON lines as DuckDB reads them: by given types, in parallel, in no order."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mappers.fields import quoted
from mappers.values import text

LEAST_OBJECT = 1 << 20  # DuckDB reads in parallel by buffers of this size


def lines_sql(paths: Sequence[Path], columns: Mapping[str, str], longest: int) -> str:
    """SQL of the lines as rows; `columns` gives each column's DuckDB type, `longest` the bytes of the longest line."""
    files = ", ".join(text(str(path)) for path in paths)
    typed = ", ".join(f"{text(name)}: {text(kind)}" for name, kind in columns.items())
    # As text: DuckDB imports pandas (half a second) for a value that is bound, or an option of its own function.
    return (
        f"from read_json([{files}], columns = {{{typed}}}, format = 'newline_delimited', "
        f"maximum_object_size = {max(longest + 1024, LEAST_OBJECT)})"
    )


def no_rows_sql(columns: Mapping[str, str]) -> str:
    """SQL of the columns, each of a DuckDB type, without any row."""
    nulls = ", ".join(f"null::{kind} as {quoted(name)}" for name, kind in columns.items())
    return f"select {nulls} limit 0"
