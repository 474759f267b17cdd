"""A protocol under the changed rules of one of its sensitivity analyses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import Protocol

# What the study's own tables aren't made from: names, what every study shares, and what is only printed.
FIXED = (
    "id",
    "version",
    "title",
    "question",
    "reference",
    "data_cutoff",
    "simulated",
    "measurements",
    "population.index_drug.codelist",
    "deaths.codelist",
    "deaths.discharge",
    "subgroups",
    "sensitivity",
    "disclosure",
    "quality",
)


class UnknownKey(ValueError):  # noqa: N818 - named for what is wrong, as every error of the project
    """A change names a key that there isn't, or that can't be changed; `key` is as the change writes it."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def varied_protocol(protocol: Protocol, name: str) -> Protocol:
    """The protocol with the changes of its variation `name`, and without sensitivity analyses of its own.

    Raises UnknownKey, and pydantic's ValidationError where a value isn't one that the key may have.
    """
    content = protocol.model_dump(mode="json", by_alias=True, exclude={"sensitivity"})
    for key, value in protocol.sensitivity[name].change.items():
        _set(content, key, value)
    return Protocol.model_validate_json(json.dumps(content), strict=True)


def control_protocol(protocol: Protocol) -> Protocol:
    """The protocol of the control patients: their drug is the index drug. Raises ValueError without controls."""
    if protocol.control is None:
        raise ValueError("the protocol has no control patients")
    drug = protocol.population.index_drug.model_copy(update={"codelist": protocol.control.codelist})
    population = protocol.population.model_copy(update={"index_drug": drug})
    return protocol.model_copy(update={"population": population, "sensitivity": {}, "comparators": {}})


def variation_schema(study: str, name: str) -> str:
    """The warehouse's schema of a variation: no study has a name with a full stop."""
    return f"{study}.{name}"


def changed_key(protocol: Protocol, name: str, path: KeyPath) -> KeyPath | None:
    """Where the variation `name` writes what stands at `path` of its protocol; None where it doesn't."""
    for key in protocol.sensitivity[name].change:
        parts = tuple(key.split("."))
        shared = min(len(parts), len(path))
        if parts[:shared] == path[:shared]:
            return ("sensitivity", name, "change", key, *path[len(parts) :])
    return None


def _set(content: dict[str, Any], key: str, value: object) -> None:
    if any(key == fixed or key.startswith(f"{fixed}.") for fixed in FIXED):
        raise UnknownKey(key, "can't be varied; make a study of its own for that")
    *sections, last = key.split(".")
    section = _section(content, sections, key)
    section[last] = value


def _section(content: dict[str, Any], names: Sequence[str], key: str) -> dict[str, Any]:
    section: Any = content
    for number, name in enumerate(names):
        if name not in section:
            raise UnknownKey(key, f'"{name}" is no key there; {did_you_mean(name, section)}')
        section = section[name]
        if not isinstance(section, dict):
            written = ".".join(names[: number + 1])
            raise UnknownKey(key, f"{written} is no section of this protocol; change a key that it has")
    return section
