"""results.csv: the same rows give the same bytes, and every number comes back as it was."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl

from reports.statistics.rows import KEY, SCHEMA

# Up to here every whole number is a double of its own; above, its digits would claim more than it holds.
LARGEST_WHOLE = 2**53


def results_bytes(frame: pl.DataFrame) -> bytes:
    """The file's content: UTF-8, header first, sorted, LF; a number as its shortest exact decimal."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SCHEMA)
    for row in frame.select(list(SCHEMA)).sort(KEY).iter_rows(named=True):
        writer.writerow([number_text(row[name]) if name == "value" else row[name] for name in SCHEMA])
    return out.getvalue().encode()


def write_results(frame: pl.DataFrame, path: Path) -> None:
    """Write the results to `path`."""
    path.write_bytes(results_bytes(frame))


def read_results(path: Path) -> pl.DataFrame:
    """The results in a file that `write_results` wrote, as the frame that was given to it."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns: dict[str, list[object]] = {name: [] for name in SCHEMA}
        for row in reader:
            for name, values in columns.items():
                values.append(_value(row[name]) if name == "value" else row[name])
    return pl.DataFrame(columns, schema=SCHEMA)


def number_text(value: float | None) -> str:
    """The shortest decimal that reads back as the same double; whole numbers without `.0`; empty for None."""
    if value is None:
        return ""
    if value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return str(int(value))
    return repr(value)


def _value(text: str) -> float | None:
    return float(text) if text else None
