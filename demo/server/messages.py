"""A request that came in, and the answer to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

FHIR = "application/fhir+json"


@dataclass(frozen=True)
class Asked:
    """A request. `path` is below the hospital's own, headers have small names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def values(self, name: str) -> list[str]:
        """The values of a parameter, those between commas one by one."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return [one for key, value in pairs if key == name for one in value.split(",")]

    def value(self, name: str) -> str | None:
        """The first value of a parameter."""
        return next(iter(self.values(name)), None)


@dataclass(frozen=True)
class Answer:
    """A status, headers and body. `cut_at`: only so many of the body's bytes are sent, then the line is dead."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None


def as_json(content: Any, status: int = 200, *, kind: str = FHIR) -> Answer:
    """An answer of JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, {"Content-Type": kind})


def refusal(status: int, text: str) -> Answer:
    """An OperationOutcome that says what is wrong."""
    issue = {"severity": "error", "code": "processing", "diagnostics": text}
    return as_json({"resourceType": "OperationOutcome", "issue": [issue]}, status)
