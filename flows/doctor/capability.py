"""A server's CapabilityStatement: what of it a pull needs. Nothing in it is trusted to have its shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flows.config import Level

READ_VERSIONS = {"4.0": "R4", "4.3": "R4B", "5.0": "R5"}
# How servers name an export at each level, besides `export` where it stands in its place.
EXPORTS: dict[Level, str] = {"system": "export", "patient": "patient-export", "group": "group-export"}
PLACES: dict[Level, str] = {"system": "", "patient": "Patient", "group": "Group"}


@dataclass(frozen=True)
class Offered:
    """What the server offers for a type ("" is the system): interactions, search parameters, operations."""

    interactions: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    operations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """The FHIR version as written (None: not told), and what is offered by type."""

    fhir_version: str | None
    offered: dict[str, Offered]

    @property
    def release(self) -> str | None:
        """`R4`, `R4B` or `R5`; None where it is none of those that are read."""
        return READ_VERSIONS.get(".".join((self.fhir_version or "").split(".")[:2]))

    @property
    def types(self) -> set[str]:
        return set(self.offered) - {""}

    def has_search(self, name: str) -> bool:
        return name in self.offered and "search-type" in self.offered[name].interactions

    def has_parameter(self, name: str, parameter: str) -> bool:
        """Whether a search of the type names the parameter, or all searches do."""
        return any(parameter in self.offered[one].parameters for one in (name, "") if one in self.offered)

    def has_history(self) -> bool:
        return any(
            interaction in offered.interactions
            for offered in self.offered.values()
            for interaction in ("history-system", "history-type")
        )

    def exports(self) -> dict[Level, str]:
        """The levels that the statement names an export for, with the address of its definition."""
        found: dict[Level, str] = {}
        for level, name in EXPORTS.items():
            operations = self.offered.get(PLACES[level], Offered()).operations
            system = self.offered.get("", Offered()).operations
            for offered, names in ((operations, {"export", name}), (system, {name})):
                for written, definition in offered.items():
                    if _operation(written) in names or _operation(definition.rpartition("/")[2]) == name:
                        found.setdefault(level, definition)
        return found


def read_statement(content: dict[str, Any]) -> Statement | None:
    """The statement of a document; None where it is something else."""
    if content.get("resourceType") not in ("CapabilityStatement", "Conformance"):
        return None
    version = content.get("fhirVersion")
    offered: dict[str, Offered] = {}
    for rest in _objects(content.get("rest")):
        if rest.get("mode", "server") != "server":
            continue
        offered[""] = _offered(rest)
        for resource in _objects(rest.get("resource")):
            if isinstance(resource.get("type"), str):
                offered[resource["type"]] = _offered(resource)
    return Statement(version if isinstance(version, str) else None, offered)


def parameters_of(definition: dict[str, Any]) -> set[str]:
    """The names of the parameters of an OperationDefinition."""
    return set(_texts(definition.get("parameter"), "name"))


def _offered(part: dict[str, Any]) -> Offered:
    operations = {}
    for one in _objects(part.get("operation")):
        definition = one.get("definition")
        if isinstance(definition, dict):  # as STU3 wrote it
            definition = definition.get("reference")
        operations[str(one.get("name", ""))] = definition if isinstance(definition, str) else ""
    return Offered(
        frozenset(_texts(part.get("interaction"), "code")),
        frozenset(_texts(part.get("searchParam"), "name")),
        operations,
    )


def _operation(name: str) -> str:
    return name.removeprefix("$")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (one for one in (value if isinstance(value, list) else []) if isinstance(one, dict))


def _texts(value: Any, key: str) -> Iterator[str]:
    return (one[key] for one in _objects(value) if isinstance(one.get(key), str))
