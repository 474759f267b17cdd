"""A secret as a configuration has it: where it is, never what it is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.errors import UserError

ENVIRONMENT, FILE = "env:", "file:"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Secret:
    """A reference, `env:NAME` or `file:PATH`; its text shows no more. `site` and `key` say whose it is.

    `folder` is the configuration's, to which the path of a file is relative.
    """

    reference: str
    site: str
    key: str
    folder: Path

    def __str__(self) -> str:
        return self.reference

    @property
    def path(self) -> Path | None:
        """The file that holds the secret; None where the environment does."""
        if not self.reference.startswith(FILE):
            return None
        return self.folder / Path(self.reference.removeprefix(FILE)).expanduser()

    def reveal(self, environ: Mapping[str, str] | None = None) -> str:
        """The secret itself, without the line break at its end. Raises UserError where it isn't there."""
        path = self.path
        if path is None:
            name = self.reference.removeprefix(ENVIRONMENT)
            found = (os.environ if environ is None else environ).get(name, "")
            missing = f"the variable {name} isn't set; set it"
        else:
            found, missing = self._read(path), f"{path} is empty; write it there"
        secret = found.rstrip("\r\n")
        if not secret:
            raise self._failed(missing)
        return secret

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8-sig")  # some editors put a mark before the text
        except OSError as error:
            raise self._failed(f"{path} can't be read ({error.strerror}); put it there") from error
        except UnicodeDecodeError:
            # From nothing: the error holds the bytes.
            raise self._failed(f"{path} isn't UTF-8; save it as UTF-8") from None

    def _failed(self, why: str) -> UserError:
        return UserError(f'site "{self.site}": {self.key}: {why}')


def is_reference(text: str) -> bool:
    """Whether a text is `env:NAME` or `file:PATH`."""
    if text.startswith(ENVIRONMENT):
        return VARIABLE.fullmatch(text.removeprefix(ENVIRONMENT)) is not None
    return text.startswith(FILE) and len(text) > len(FILE) and "\0" not in text
