"""OperationOutcomes that a server sent: how many issues of which kind, never what they say of a patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from flows.landing import LandedFile
from flows.pull.site_pull import SitePull
from flows.splitting import split

SEVERITIES = ("fatal", "error", "warning", "information", "success")


class _Issue(msgspec.Struct):
    severity: Any = None


class _Outcome(msgspec.Struct):
    resourceType: Any = None  # noqa: N815
    issue: list[_Issue] | None = None


_decode = msgspec.json.Decoder(_Outcome).decode


def tell_outcomes(pull: SitePull, landed: LandedFile, where: str) -> None:
    """Notes what the OperationOutcomes of a landed file report."""
    with TemporaryDirectory(prefix="cove-") as work:
        counts = severities(piece.data for pieces in split(landed.path, Path(work)) for piece in pieces)
    if counts:
        pull.note(f"the server reports {listed(counts)} {where}; see landed file {landed.sha256[:12]}")


def listed(counts: Counter[str]) -> str:
    """The issues by severity, the worst first: `1 error, 2 warning`."""
    return ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name])


def severities(resources: Iterable[bytes]) -> Counter[str]:
    """How many issues of each severity the OperationOutcomes among the resources have."""
    counts: Counter[str] = Counter()
    for data in resources:
        if b"OperationOutcome" not in data:
            continue
        try:
            outcome = _decode(data)
        except (ValueError, RecursionError):
            # What is no resource is quarantined by the load.
            continue
        if outcome.resourceType == "OperationOutcome":
            issues = outcome.issue or [_Issue()]
            counts.update(i.severity if i.severity in SEVERITIES else "information" for i in issues)
    return counts
