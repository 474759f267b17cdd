"""Ends a command that is stopped from outside as an exception does, so that files under way are removed."""

from __future__ import annotations

import sys
from signal import SIGINT

STOPPED = 128 + SIGINT  # the exit code after Ctrl-C, as a shell counts it
QUERY_INTERRUPTED = "Query interrupted"  # what DuckDB makes of whatever ends a query: a plain RuntimeError
_number: int = SIGINT  # of the last signal that was to end the command


def terminate(number: int, _frame: object) -> None:
    """Takes a signal that ends the command."""
    global _number
    _number = number
    sys.exit(128 + number)


def code_of_interruption(error: BaseException) -> int | None:
    """The exit code where the error says that the command was stopped; else None."""
    if isinstance(error, KeyboardInterrupt):
        return STOPPED
    return 128 + _number if str(error) == QUERY_INTERRUPTED else None
