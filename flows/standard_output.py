"""Standard output as every command finds it: it takes any script, and its end is no defect of ours."""

from __future__ import annotations

import io
import os
import signal
import sys

BROKEN_PIPE = 128 + signal.SIGPIPE  # how a shell counts a command that such a signal ended


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
