"""Section A: what the sensitivity analyses change, key by key, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reports.rendering.labels import analysis_label, name_label
from reports.rendering.words import sentence
from studies.protocol import Protocol, Variation


def sensitivity_rules(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Each variation: its reason, what it changes in the protocol, of whom, and what is given again."""
    for name, variation in protocol.sensitivity.items():
        again = "; ".join(analysis_label(protocol, analysis) for analysis in variation.analyses)
        said = f"{variation.reason} {' '.join(_changes(variation))} Given again: {again}."
        yield sentence(name_label(protocol, name)), said


def _changes(variation: Variation) -> Iterator[str]:
    for key, value in variation.change.items():
        yield f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}."
    if variation.persons == "evaluable":
        yield "Persons whose best response isn't NE."
    if variation.leave_out is not None:
        yield f"Each {variation.leave_out} left out in turn."
