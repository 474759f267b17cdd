"""What a person sees while a run works: a live line on a terminal, a plain log elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO


class Progress(Protocol):
    """Tells that a step goes on; it never gets a patient's value."""

    def step(self, title: str) -> AbstractContextManager[None]: ...

    def note(self, text: str) -> None: ...


class PlainProgress:
    """One line when a step starts, one when it is done, with seconds; for logs and schedulers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        self._say(f"{title} …")
        yield
        self._say(f"{title}: done in {time.monotonic() - started:.1f} s")

    def note(self, text: str) -> None:
        self._say(f"  {text}")

    def _say(self, text: str) -> None:
        # In one piece: other threads may tell something, too.
        self._stream.write(f"{text}\n")
        self._stream.flush()


class LiveProgress:
    """A spinner with the running step, and a line for each finished one."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        with self._console.status(title):
            yield
        self._console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - started:.1f} s[/]")

    def note(self, text: str) -> None:
        self._console.print(f"  {text}", markup=False)


def progress_for(stream: TextIO = sys.stderr) -> Progress:
    """The display that suits the stream: live on a terminal, plain elsewhere."""
    return LiveProgress(stream) if stream.isatty() else PlainProgress(stream)
