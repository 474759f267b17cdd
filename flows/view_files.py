"""The files that a user means: by name, by folder, by pattern."""

import glob
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from flows.errors import UserError
from flows.landing import files_under


def files_meant(names: list[str]) -> list[Path]:
    """The files in the order of the names, each once.

    A folder is every FHIR file below it; a name that is no file may be a pattern (`*`, `?`, `[…]`, `**`).
    Raises UserError where a name leads to nothing, or to a file that can't be read.
    """
    found: dict[Path, Path] = {}
    for name in names:
        for path in _meant(name):
            _open(path)
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _meant(name: str) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir():
        yield from _in_folder(path)
    elif path.exists() or not glob.has_magic(name):
        yield path
    else:
        matched = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - the pattern may be absolute
        if not matched:
            raise UserError(f"{name}: no file has such a name; give the files of a view by name or pattern")
        for match in map(Path, matched):
            yield from _in_folder(match) if match.is_dir() else (match,)


def _in_folder(folder: Path) -> Iterator[Path]:
    files = list(files_under(folder, Counter()))
    if not files:
        raise UserError(f"{folder}: has no FHIR files (.ndjson, .json, .gz, .zip)")
    yield from files


def _open(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except OSError as error:
        raise UserError(f"{path}: can't be read ({error.strerror})") from error
    if not path.is_file():
        raise UserError(f"{path}: is no regular file; write the data to a file first")
