"""A disk that is full, or fails, as one line and exit code 3."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from flows.home import HomeError

_FAILURES = tuple(
    os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
)


@contextmanager
def disk_failures(place: Path) -> Iterator[None]:
    """Raises HomeError, naming the place, for what the system or DuckDB says of a failing disk."""
    try:
        yield
    except OSError as error:
        raise _failed(place, error.strerror or type(error).__name__) from error
    except duckdb.Error as error:
        # A full disk also comes as a failed transaction, or as a database that can't go on.
        found = [reason for reason in _FAILURES if reason in str(error)]
        if not found and not isinstance(error, duckdb.IOException):
            raise
        raise _failed(place, *found[:1]) from error


def _failed(place: Path, reason: str = "an error of input or output") -> HomeError:
    return HomeError(f"{place}: can't be read or written ({reason}); free space there, and run again")
