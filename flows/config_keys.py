"""The keys of a configuration, by section, each with the reader of its value; and how a section is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Union

from flows.config_toml import KeyPath, MarkedToml
from flows.config_values import (
    Reader,
    WrongValueError,
    base_url,
    boolean,
    choice,
    number,
    resource_types,
    secret,
    text,
    texts,
    time_zone,
    whole_number,
    window,
)
from studies.nearest import did_you_mean

Section = Mapping[str, Union[Reader, "Section"]]

SITE: Section = {
    "name": text,
    "source": choice("bulk", "rest", "files"),
    "url": base_url,
    "path": text,
    "group": text,
    "level": choice("patient", "group", "system"),
    "types": resource_types,
    "type_filter": texts,
    "include": texts,
    "count": whole_number(1),
    "auth": choice("smart", "bearer", "basic", "mtls", "none"),
    "client_id": text,
    "private_key": secret,
    "scope": text,
    "token_url": base_url,
    "token": secret,
    "user": text,
    "password": secret,
    "cert": text,
    "key": secret,
    "ca": text,
    "since": boolean,
    "deletions": choice("manifest", "history", "snapshot", "none"),
    "timezone": time_zone,
    "rate": {
        "requests_per_second": number(above=0),
        "bytes_per_second": whole_number(1),
        "concurrent": whole_number(1),
    },
    "window": window,
    "timeout": {"connect": number(above=0), "read": number(above=0), "export": number(above=0)},
    "retry": {"attempts": whole_number(1), "wait": number(), "longest": number()},
    "settle": number(),
    "maps": text,
}
PUBLISH: Section = {"keep": whole_number(1)}
TOP: Section = {"home": text, "publish": PUBLISH}


@dataclass(frozen=True)
class Problem:
    """What is wrong at a key: one line of the error."""

    path: KeyPath
    what: str


def key_names() -> list[str]:
    """Every key as it can be written: `home`, `site.name`, `site.timeout.read`, `publish.keep`."""
    return [*_names(TOP, ""), *_names(SITE, "site.")]


def read_document(source: MarkedToml) -> tuple[dict[str, Any], list[dict[str, Any]], list[Problem]]:
    """The values at the top and those of each site, of the keys that are right; and what is wrong."""
    problems: list[Problem] = []
    rest = {key: value for key, value in source.data.items() if key != "site"}
    top = dict(_read(rest, TOP, (), "the configuration", problems, known=[*TOP, "site"]))
    tables = source.data.get("site", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.append(Problem(("site",), "the configuration has site that is no list; write [[site]]"))
        tables = []
    sites = [
        dict(_read(table, SITE, ("site", n), site_label(table, n), problems))
        for n, table in enumerate(tables)
    ]
    return top, sites, problems


def site_label(table: Mapping[str, Any], number: int) -> str:
    """A site as messages name it: by its name, or its place in the file."""
    name = table.get("name")
    return f'site "{name}"' if isinstance(name, str) and name and name.isprintable() else f"site {number + 1}"


def _read(
    table: Mapping[str, Any],
    section: Section,
    path: KeyPath,
    owner: str,
    problems: list[Problem],
    *,
    known: list[str] | None = None,
) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        reader, at = section.get(key), (*path, key)
        # What a person reads: timeout.read, not read.
        full = ".".join(str(part) for part in at if not isinstance(part, int)).removeprefix("site.")
        if reader is None:
            hint = did_you_mean(key, known or section)
            problems.append(Problem(at, f"{owner} has an unknown key {_shown(full)}; {hint}"))
        elif isinstance(reader, Mapping):
            if isinstance(value, dict):
                yield key, dict(_read(value, reader, at, owner, problems))
            else:
                keys = ", ".join(f"{name} = …" for name in reader)
                problems.append(Problem(at, f"{owner} has {full} that is no table; write {{ {keys} }}"))
        else:
            try:
                yield key, reader(value)
            except WrongValueError as error:
                problems.append(Problem(at, f"{owner} has {full} {error}"))


def _shown(key: str) -> str:
    return f'"{key}"' if key.isprintable() else "with characters that no key has"


def _names(section: Section, prefix: str) -> Iterator[str]:
    for key, reader in section.items():
        if isinstance(reader, Mapping):
            yield from _names(reader, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
