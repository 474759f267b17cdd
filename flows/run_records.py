"""A record of each run that wrote to a home: `runs/<time>.json`, for auditors. It holds no value of a patient."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from flows.errors import CoveError
from flows.home import Home, write_whole
from flows.interruption import code_of_interruption
from flows.manifest import PACKAGES


@dataclass
class RunRecord:
    """What one run was asked for (`asked`, JSON-ready) and what it told; filled in while it goes on."""

    steps: tuple[str, ...]
    started_at: dt.datetime
    asked: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    exit_code: int = 0


@contextlib.contextmanager
def recorded(home: Home, record: RunRecord, now: Callable[[], dt.datetime]) -> Iterator[RunRecord]:
    """Writes the record when the run ends, however it does; a run that was killed has none.

    Without a home nothing was written, and nothing is recorded. An error of the run is never replaced by one of
    writing its record.
    """
    try:
        yield record
    except BaseException as error:
        record.exit_code = _exit_code(error)
        if isinstance(error, CoveError):
            record.told["error"] = str(error)
        with contextlib.suppress(OSError):
            _write(home, record, now())
        raise
    _write(home, record, now())


def _exit_code(error: BaseException) -> int:
    stopped = code_of_interruption(error)
    if stopped is not None:
        return stopped
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    return error.exit_code if isinstance(error, CoveError) else CoveError.exit_code


def _write(home: Home, record: RunRecord, ended_at: dt.datetime) -> None:
    if not home.runs.is_dir():
        return
    content = {
        "steps": record.steps,
        **record.asked,
        "started_at": record.started_at.isoformat(),
        "ended_at": ended_at.isoformat(),
        "exit_code": record.exit_code,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        **record.told,
    }
    path = home.runs / f"{record.started_at:%Y%m%dT%H%M%S%f}-{os.getpid()}.json"
    part = path.with_suffix(".part")
    try:
        write_whole(path, json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n", part)
    finally:
        # Nobody else would remove it: runs don't wait for each other here.
        part.unlink(missing_ok=True)
