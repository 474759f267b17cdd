"""The files of a protocol as one: `protocol.yaml`, with the study's criteria sets at their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies.errors import StudyError
from studies.marked_yaml import KeyPath, MarkedYaml, read_marked_yaml

CRITERIA: KeyPath = ("response", "criteria_sets")


@dataclass(frozen=True)
class ProtocolFiles:
    """The protocol, and by name the criteria sets beside it; paths lead into the protocol with the sets in it."""

    protocol: MarkedYaml
    criteria: Mapping[str, MarkedYaml]

    @property
    def data(self) -> dict[str, Any]:
        """The protocol's content with its criteria sets; without a section `response` there is no place for these."""
        data, response = self.protocol.data, self.protocol.data.get("response")
        if not isinstance(response, dict):
            return data
        sets = {name: part.data for name, part in self.criteria.items()}
        return {**data, "response": {**response, "criteria_sets": sets}}

    def where(self, path: KeyPath) -> str:
        """File, line and key."""
        part, inner = self._place(path)
        return part.where(inner)

    def order(self, path: KeyPath) -> tuple[str, int]:
        """Sorts paths by file, the protocol first, and line."""
        part, inner = self._place(path)
        return ("" if part is self.protocol else part.name, part.line(inner))

    def _place(self, path: KeyPath) -> tuple[MarkedYaml, KeyPath]:
        depth = len(CRITERIA)
        if path[:depth] == CRITERIA and len(path) > depth and path[depth] in self.criteria:
            return self.criteria[str(path[depth])], path[depth + 1 :]
        return self.protocol, path


def read_protocol_files(folder: Path, shown_as: str) -> ProtocolFiles:
    """Reads a study's protocol and criteria sets. Raises StudyError."""
    protocol = read_marked_yaml(folder / "protocol.yaml", f"{shown_as}/protocol.yaml")
    response = protocol.data.get("response")
    if isinstance(response, dict) and "criteria_sets" in response:
        where = protocol.where(CRITERIA)
        raise StudyError(f"{where}: unknown key; criteria stand in files of their own, criteria/<name>.yaml")
    criteria = {
        file.stem: read_marked_yaml(file, f"{shown_as}/criteria/{file.name}")
        for file in sorted((folder / "criteria").glob("*.yaml"))
    }
    return ProtocolFiles(protocol, criteria)
