"""The configuration, `cove.toml`: which hospitals to pull from and how, read and checked before anything is done.

Paths in the file are relative to its folder. Nothing here opens a connection or reads a secret.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from flows.config_checks import problems_of
from flows.config_keys import TOP, Problem, read_document, site_label
from flows.config_secret import Secret, is_reference
from flows.config_toml import MarkedToml, read_marked_toml
from flows.config_values import Reader, WrongValueError
from flows.errors import UserError
from flows.home import site_name

DEFAULT_CONFIG = Path("cove.toml")
DEFAULT_HOME = Path("cove-home")
DEFAULT_KEEP = 10
SECRETS = ("private_key", "token", "password", "key")
PATHS = ("path", "ca", "maps")
# Options that are keys of the file too: the variable wins over the file.
VARIABLES = {"COVE_HOME": ("home",), "COVE_PUBLISH_KEEP": ("publish", "keep")}

Source = Literal["bulk", "rest", "files"]
Level = Literal["patient", "group", "system"]
Auth = Literal["smart", "bearer", "basic", "mtls", "none"]
Deletions = Literal["manifest", "history", "snapshot", "none"]


class ConfigError(UserError):
    """What is wrong with a configuration: each of `errors` is one line that says where, what, and what to do."""

    def __init__(self, *errors: str) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Rate:
    """Bounds of a site's pull; None is no bound."""

    requests_per_second: float | None = None
    bytes_per_second: int | None = None
    concurrent: int = 3


@dataclass(frozen=True)
class Timeout:
    """Seconds: to connect, for headers and each wait for more of a body, and from an export's start to its end."""

    connect: float = 10
    read: float = 60
    export: float = 86_400


@dataclass(frozen=True)
class Retry:
    """How often a request is tried; the first wait, which doubles, and the longest that a server may ask for."""

    attempts: int = 5
    wait: float = 1
    longest: float = 300


@dataclass(frozen=True)
class Site:
    """A hospital and how to pull from it. `url` and `token_url` have no slash at their end; paths are absolute."""

    name: str
    source: Source
    url: str | None = None
    path: Path | None = None
    group: str | None = None
    level: Level = "patient"
    types: tuple[str, ...] | None = None
    type_filter: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    count: int | None = None
    auth: Auth = "none"
    client_id: str | None = None
    private_key: Secret | None = None
    scope: str | None = None
    token_url: str | None = None
    token: Secret | None = None
    user: Secret | str | None = None
    password: Secret | None = None
    cert: Secret | Path | None = None
    key: Secret | None = None
    ca: Path | None = None
    since: bool = True
    deletions: Deletions = "none"
    timezone: str | None = None
    rate: Rate = field(default_factory=Rate)
    window: tuple[dt.time, dt.time] | None = None
    timeout: Timeout = field(default_factory=Timeout)
    retry: Retry = field(default_factory=Retry)
    settle: float = 60
    maps: Path | None = None


@dataclass(frozen=True)
class Config:
    """What a `cove.toml` says. `path` is the file; `keep` the number of the warehouse's versions."""

    home: Path
    sites: tuple[Site, ...]
    keep: int
    path: Path


def read_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration of a file (`cove.toml` of the current folder, when none is named), checked.

    `COVE_HOME` and `COVE_PUBLISH_KEEP` win over the file. Raises UserError when the file can't be read, and
    ConfigError with a line for each error in it.
    """
    file = path or DEFAULT_CONFIG
    source = read_marked_toml(file, str(file))
    folder = file.expanduser().resolve().parent
    top, tables, problems = read_document(source)
    written = source.data.get("site", []) if tables else []
    for number, (values, as_written) in enumerate(zip(tables, written, strict=True)):
        problems += _site_problems(values, as_written, number)
    problems += _same_names(tables, source)
    if problems:
        raise ConfigError(*_told(problems, source))
    home, keep = top.get("home"), top.get("publish", {}).get("keep", DEFAULT_KEEP)
    placed = _placed(folder, home) if home else DEFAULT_HOME
    return Config(
        home=Path(_of_environment(environ, "COVE_HOME") or placed).expanduser().resolve(),
        sites=tuple(_site(values, folder) for values in tables),
        keep=_of_environment(environ, "COVE_PUBLISH_KEEP") or keep,
        path=file,
    )


def _site_problems(values: dict[str, Any], written: Mapping[str, Any], number: int) -> list[Problem]:
    owner, at = site_label(written, number), ("site", number)
    found = [Problem((*at, key), f"{owner} has {what}") for key, what in problems_of(values, written)]
    if "name" in values:
        try:
            values["name"] = site_name(values["name"])
        except UserError as error:
            found.append(Problem((*at, "name"), str(error)))
    return found


def _same_names(tables: list[dict[str, Any]], source: MarkedToml) -> list[Problem]:
    """A problem for each site whose name another had before it, after NFC."""
    first: dict[str, int] = {}
    found = []
    for number, values in enumerate(tables):
        name = values.get("name")
        if name is None:
            continue
        before = first.setdefault(name, number)
        if before != number:
            line = source.line(("site", before, "name"))
            what = f'site "{name}" has the name of another (line {line}); rename one'
            found.append(Problem(("site", number, "name"), what))
    return found


def _told(problems: list[Problem], source: MarkedToml) -> list[str]:
    """The problems as lines, in the order of the file."""
    ordered = sorted(problems, key=lambda problem: source.line(problem.path))
    return list(dict.fromkeys(f"{source.where(problem.path)}: {problem.what}" for problem in ordered))


def _of_environment(environ: Mapping[str, str], variable: str) -> Any:
    """An option's value in the environment, None where it isn't set. Raises UserError where it is wrong."""
    written = environ.get(variable)
    if not written:
        return None
    reader: Any = TOP
    for part in VARIABLES[variable]:
        reader = reader[part]
    value = int(written) if written.isdecimal() and variable != "COVE_HOME" else written
    return _checked(reader, value, variable)


def _checked(reader: Reader, value: Any, name: str) -> Any:
    try:
        return reader(value)
    except WrongValueError as error:
        raise UserError(f"the environment has {name} {error}") from error


def _placed(folder: Path, written: str) -> Path:
    return folder / Path(written).expanduser()


def _site(values: dict[str, Any], folder: Path) -> Site:
    name, source = values["name"], values["source"]
    made = dict(values)
    for key in PATHS:
        if key in made:
            made[key] = _placed(folder, made[key])
    for key in SECRETS:
        if key in made:
            made[key] = Secret(made[key], name, key, folder)
    if "user" in made and is_reference(made["user"]):
        made["user"] = Secret(made["user"], name, "user", folder)
    if "cert" in made:
        written = made["cert"]
        is_secret = is_reference(written)
        made["cert"] = Secret(written, name, "cert", folder) if is_secret else _placed(folder, written)
    made.setdefault("level", "group" if "group" in made else "patient")
    made.setdefault("deletions", "manifest" if source == "bulk" else "none")
    sections = {"rate": Rate, "timeout": Timeout, "retry": Retry}
    made.update({key: kind(**made.get(key, {})) for key, kind in sections.items()})
    return Site(**made)
