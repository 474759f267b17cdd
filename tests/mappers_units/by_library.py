"""`mappers/known_units.csv` as the UCUM library has it: `python -m tests.mappers_units.by_library > the file`.

The texts are those of the file. To add one, write it into the first column.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator

from mappers.known_units import TABLE, dimension_text
from mappers.units import _parse, _ratio

Row = tuple[str, str, str]


def texts() -> list[str]:
    """The texts of the file, in order."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [row["unit"] for row in csv.DictReader(lines, strict=True)]


def rows(units: Iterable[str]) -> Iterator[Row]:
    """Unit, dimension, and how many of the dimension's first unit it is."""
    first: dict[str, str] = {}
    for unit in units:
        read = _parse(unit)
        if read is None:
            yield unit, "", ""
            continue
        dimension = dimension_text(
            {name.strip("[]"): float(power) for name, power in read.dimensionality.items()}
        )
        factor = None
        if read._is_multiplicative:
            factor = _ratio(read, _parse(first.setdefault(dimension, unit)))
        yield unit, dimension, "" if factor is None else str(factor)


def as_text(found: Iterable[Row]) -> str:
    """The rows as the file has them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("unit", "dimension", "factor"))
    writer.writerows(found)
    return text.getvalue()


if __name__ == "__main__":
    sys.stdout.write(as_text(rows(texts())))
