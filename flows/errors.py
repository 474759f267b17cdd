"""The named errors of the flows, each with the exit code that the command line gives it."""

from __future__ import annotations


class CoveError(Exception):
    """A failure that a user can understand: one line that says where, what, and what to do."""

    exit_code = 4


class UserError(CoveError):
    """The user's input is wrong. Nothing was written."""

    exit_code = 2


class SourceError(CoveError):
    """A source failed after its retries, or the disk did; what was landed is kept."""

    exit_code = 3


class DefectError(CoveError):
    """A wrong program. The message names the log, and holds nothing of the data."""

    exit_code = 4
