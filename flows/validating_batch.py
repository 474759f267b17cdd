"""What a worker process does of the full validation; it knows the rules, and nothing of the home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mappers.validation import Validator


@dataclass(frozen=True)
class Wanted:
    """A resource's content: the hash of its bytes, its type, and the FHIR version that it is written in."""

    hash: str
    type: str
    fhir_version: str
    data: bytes = field(repr=False)


# Content, and the rules that it breaks.
Verdict = tuple[str, str, tuple[str, ...]]

_validator = Validator()  # one a process: what it remembers of elements serves all batches


def validate_batch(batch: Sequence[Wanted]) -> list[Verdict]:
    """The verdict on each resource, in order."""
    return [
        (one.hash, one.fhir_version, _validator.rules(one.data, one.type, one.fhir_version)) for one in batch
    ]
