"""The error of a study that can't be read."""

from __future__ import annotations


class StudyError(Exception):
    """What is wrong with a study's files: each of `errors` is one line that says where, what, and what to do.

    As text it is the first of them, so that a message stays one line.
    """

    def __init__(self, *errors: str) -> None:
        # What the files hold is repeated, whatever characters end a line in it.
        self.errors = tuple(" ".join(error.splitlines()) for error in errors)
        super().__init__(self.errors[0])
