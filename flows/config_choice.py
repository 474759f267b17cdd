"""Which configuration, files and home a command works with: a flag wins over the environment, it over the file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flows.config import DEFAULT_CONFIG, DEFAULT_HOME, Config, read_config
from flows.errors import UserError


@dataclass(frozen=True)
class Choice:
    """What a command works with. `files` and `config` are never both there."""

    home: Path
    files: Path | None = None
    config: Config | None = None


def choose(
    *, config: Path | None, home: Path | None, files: Path | None = None, flags: frozenset[str] = frozenset()
) -> Choice:
    """The home, and the files or the configuration to take data from.

    `flags` names the options that stand on the command line; the others may come from the environment. The
    `cove.toml` of the current folder is read when no configuration or files are given, and no `--home`.
    Raises UserError when both files and a configuration are given in the same way.
    """
    if config and files:
        if ("config" in flags) == ("files" in flags):
            raise UserError("--config and --files are both given; a run takes its data from one of them")
        config, files = (config, None) if "config" in flags else (None, files)
    is_free = config is None and files is None and "home" not in flags
    if is_free and os.path.exists(DEFAULT_CONFIG):  # noqa: PTH110 - a folder of somebody else has none
        config = DEFAULT_CONFIG
    read = read_config(config, os.environ) if config else None
    return Choice(home or (read.home if read else DEFAULT_HOME), files, read)


def choose_to_pull(*, config: Path | None, home: Path | None) -> Choice:
    """The configuration to pull by (`cove.toml` of the current folder, when none is named), and the home.

    Raises UserError where there is none, or it has no site.
    """
    read = read_config(config, os.environ)
    if not read.sites:
        raise UserError(f"{read.path}: has no site to pull from; add one under [[site]]")
    return Choice(home or read.home, None, read)
