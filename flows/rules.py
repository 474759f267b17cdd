"""The identity of the rules by which Cove reads files and judges resources: their sources, and packages' versions.

What was made by other rules is made again. Taken from the sources, it can't be forgotten when one changes.
"""

import functools
import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

FLOWS = Path(__file__).parent
MAPPERS = FLOWS.parent / "mappers"
MAPPERS_KINDS = (".py", ".sql", ".lark")
# What turns a landed file into lines, ledgers and Parquet.
OF_LOADS = (
    "blocks.py",
    "bundles.py",
    "concept_maps.py",
    "documents.py",
    "exact_numbers.py",
    "ledger_files.py",
    "ledger_of_aliases.sql",
    "ledger_of_deletions.sql",
    "ledger_of_files.sql",
    "ledger_of_findings.sql",
    "ledger_of_quarantine.sql",
    "ledger_of_resources.sql",
    "ledgers.py",
    "line_splitting.py",
    "load_memory.py",
    "load_views.py",
    "loading.py",
    "mapping.py",
    "pieces.py",
    "resource_text.py",
    "routing.py",
    "sorted_lines.py",
    "splitting.py",
    "typed_lines.py",
    "unpacking.py",
    "urns.py",
    "urns.sql",
)


@functools.cache
def load_rules() -> str:
    """The identity of what a load makes of a file, beside the views and the key."""
    sources = [*_mappers(), *(FLOWS / name for name in OF_LOADS)]
    return _identity(sources, ("fhir.resources", "fhir-core", "msgspec", "duckdb"))


@functools.cache
def verdict_rules() -> str:
    """The identity of what decides a verdict of the full validation."""
    return _identity(_mappers(), ("fhir.resources", "fhir-core", "pydantic"))


def _mappers() -> list[Path]:
    return sorted(path for path in MAPPERS.iterdir() if path.suffix in MAPPERS_KINDS)


def _identity(sources: Iterable[Path], packages: Iterable[str]) -> str:
    parts = hashlib.sha256()
    for source in sources:
        parts.update(f"{source.name}\n".encode() + source.read_bytes())
    for package in packages:
        parts.update(f"{package}=={version(package)}\n".encode())
    return parts.hexdigest()[:16]
