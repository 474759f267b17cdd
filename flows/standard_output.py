"""Standard output as every command finds it: it takes any script, and its end is no defect of ours."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

BROKEN_PIPE = 128 + signal.SIGPIPE  # how a shell counts a command that such a signal ended


def open_closed_streams() -> None:
    """Gives a command that was started without a standard stream the null device; else the first file that it opens
    would have the stream's number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - stays open


def take_any_text() -> None:
    """Files and pipes get UTF-8 whatever the locale; a terminal what it can show, and escapes for the rest."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = None if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def exit_code_of(ended: SystemExit) -> int | str | None:
    """The exit code, but that of a closed pipe where the reader went away: `head` had enough, nothing failed."""
    if not isinstance(ended.__context__, BrokenPipeError):
        return ended.code
    # Python flushes standard output once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE
