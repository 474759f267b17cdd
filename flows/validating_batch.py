"""What a worker process does of the full validation; it knows the rules, and nothing of the home."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
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


def prepare_worker() -> None:
    """Ends this worker with the process that started it, however that ends."""
    # An interrupt from the keyboard reaches workers too; their parent ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What was imported stays to the end: the garbage collector needn't look at it.
    gc.freeze()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent closes nothing that a worker waits for: its work would never come, and never end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def validate_batch(batch: Sequence[Wanted]) -> list[Verdict]:
    """The verdict on each resource, in order."""
    return [
        (one.hash, one.fhir_version, _validator.rules(one.data, one.type, one.fhir_version)) for one in batch
    ]
