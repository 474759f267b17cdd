"""The report's manifest: what it was made of, by what, and the hash of every file in it."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.run import MANIFEST, Run

PACKAGES = ("fhir-cove", "duckdb", "polars", "fhir.resources", "lifelines", "numpy", "scipy", "msgspec")


def run_identity(
    run: Run, inputs: list[dict[str, Any]], data_cutoff: str, time_zones: dict[str, str]
) -> dict[str, Any]:
    """What identifies a run: study, parameters, versions, and the inputs by hash. Sorted, JSON-ready."""
    request = run.request
    return {
        "study": request.study.protocol.id,
        "protocol_version": request.study.protocol.version,
        "study_sha256": request.study.digest,
        "data_cutoff": data_cutoff,
        "as_of": request.as_of.isoformat() if request.as_of else None,
        "started_at": request.started_at.isoformat(),
        "simulated": request.simulated,
        "time_zones": time_zones,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "inputs": inputs,
    }


def write_manifest(folder: Path, identity: dict[str, Any], private: dict[str, str]) -> None:
    """Writes the manifest of a report's folder: the run's identity, and sha256 of each file but itself.

    `private` has what only the data holder needs to trace numbers: where the warehouse lies.
    """
    files = {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    content = {**identity, **private, "files": files}
    (folder / MANIFEST).write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def sha256_of(path: Path) -> str:
    """The file's sha256, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
