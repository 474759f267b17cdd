"""The families of rules by which a resource is validated in full, and how a protocol names them.

A rule is its family and, after a colon, where: `code:Observation.status`. A protocol may name a family (`code`), a
type (`code:Observation`) or one field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FAMILIES = {
    "invalid": "The models of fhir.resources refuse this field.",
    "code": "The code is none of those that the standard requires here.",
    "period": "A period starts after it ends.",
    "order": "A date is before one that it can only follow.",
    "dose": "A dose is negative, or is given per nothing.",
}

_RULE = re.compile(r"([a-z]+)(:[A-Za-z]+([.-][A-Za-z]+)*)?")


def is_rule_name(text: str) -> bool:
    """Whether the text names a family, or a family and a place of it."""
    found = _RULE.fullmatch(text)
    return found is not None and found[1] in FAMILIES


def is_among(rule: str, named: Iterable[str]) -> bool:
    """Whether one of the names means the rule: it is the rule itself, its family, or what the field is part of."""
    return any(rule == name or rule.startswith((f"{name}:", f"{name}.")) for name in named)
