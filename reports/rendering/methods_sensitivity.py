"""Section A: what the sensitivity analyses change, key by key, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reports.rendering.words import analysis_words, sentence
from studies.protocol import Protocol, Variation


def sensitivity_rules(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Each variation: its reason, what it changes in the protocol, of whom, and what is given again."""
    for name, variation in protocol.sensitivity.items():
        again = "; ".join(analysis_words(analysis) for analysis in variation.analyses)
        yield sentence(name), f"{variation.reason} {' '.join(_changes(variation))} Given again: {again}."


def _changes(variation: Variation) -> Iterator[str]:
    for key, value in variation.change.items():
        yield f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}."
    if variation.persons == "evaluable":
        yield "Persons whose best response isn't NE."
    if variation.leave_out is not None:
        yield f"Each {variation.leave_out} left out in turn."
