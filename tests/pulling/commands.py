"""Commands in processes of their own, forked from one that has read the program: each starts in an instant.

They are killed, interrupted and waited for as any other process. Only what is measured of a whole process
(its memory) is started anew, by `start_anew`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

COVE = Path(sys.executable).with_name("cove")

_forks: Any = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.pulling.read_before"])


class Running(Protocol):
    """A command that has started."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def send_signal(self, sig: int, /) -> None: ...
    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]: ...
    def __enter__(self) -> Running: ...
    def __exit__(self, *error: object) -> None: ...


class Forked:
    """A command in a forked process, with what `subprocess.Popen` has of it."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._said = tempfile.TemporaryDirectory(prefix="cove-said-")
        self._out, self._err = (Path(self._said.name) / name for name in ("out", "err"))
        places = (str(folder), str(self._out), str(self._err))
        self._process = _forks.Process(target=_command, args=(list(arguments), places, dict(environment)))
        self._process.start()
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        code: int | None = self._process.exitcode
        return code

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self.returncode

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()

    def send_signal(self, sig: int, /) -> None:
        """Sends it a signal."""
        os.kill(self.pid, sig)

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]:
        """Waits for its end; what it said."""
        self._process.join(timeout)
        if self._process.is_alive():
            raise subprocess.TimeoutExpired("cove", timeout or 0)
        return tuple(path.read_text() if path.exists() else "" for path in (self._out, self._err))  # type: ignore[return-value]

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:
            self.kill()
        self._process.join()
        self._said.cleanup()


def start(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Running:
    """`cove` with the arguments, in the folder, with this environment and no other."""
    return Forked(arguments, folder, environment)


def start_anew(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], said: IO[str]
) -> subprocess.Popen[str]:
    """The same as the command that is installed; what it says goes to the file."""
    return subprocess.Popen([COVE, *arguments], cwd=folder, env=dict(environment), stdout=said, stderr=said)


def _command(arguments: list[str], places: tuple[str, str, str], environment: dict[str, str]) -> None:
    folder, out, err = places
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    for number, path in ((1, out), (2, err)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout, sys.stderr = (os.fdopen(n, "w", 1, "utf-8", closefd=False) for n in (1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["cove", *arguments]
    from flows.cli import main

    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
