"""The home before the first night: can it be written, is it private, is there space. Nothing is made there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from flows.doctor.lines import Line, fail, ok, warn
from flows.doctor.secrets import OTHERS
from flows.errors import SourceError
from flows.home import Home, read_key

LEAST_FREE = 5 << 30  # bytes
GB = 1 << 30


def home_lines(root: Path) -> Iterator[Line]:
    """The lines of the home."""
    nearest = nearest_folder(root)
    if nearest is None:
        yield fail("home", f"{root}: lies under a file", "choose another `home`")
        return
    yield _writable(root, nearest)
    if nearest == root:
        yield from _private(root)
    yield _space(nearest)


def nearest_folder(root: Path) -> Path | None:
    """The folder itself, or the one above it that is there; None where that is no folder."""
    nearest = next(place for place in (root, *root.parents) if os.path.lexists(place))
    return nearest if nearest.is_dir() else None


def free_bytes(root: Path) -> int:
    """What is free where the home is, or will be."""
    nearest = nearest_folder(root)
    return shutil.disk_usage(nearest).free if nearest is not None else 0


def size_text(size: int) -> str:
    """A size for a person."""
    return f"{size / GB:.1f} GB" if size >= GB else f"{size / (1 << 20):.1f} MB"


def _writable(root: Path, nearest: Path) -> Line:
    inside = [root / name for name in ("landing", "fhir", "pulls", "work", "versions", "runs")]
    for place in (nearest, *(place for place in inside if place.is_dir())):
        if not os.access(place, os.W_OK | os.X_OK):
            return fail("home", f"{place} can't be written", "give the user that runs cove access")
    found = "is there, and can be written" if nearest == root else "isn't there yet, and can be made"
    return ok("home", f"{root} {found}")


def _private(root: Path) -> Iterator[Line]:
    if root.stat().st_mode & OTHERS:
        yield warn("privacy", f"others than its owner can look into {root}", f"chmod 700 {root}")
    else:
        yield ok("privacy", f"only its owner can look into {root}")
    home = Home(root)
    if home.key_file.exists():
        try:
            read_key(home)
        except (OSError, SourceError):
            yield fail(
                "key",
                f"{home.key_file} can't be read, or is cut short",
                "restore it from a backup: the patients' pseudonyms depend on it",
            )


def _space(nearest: Path) -> Line:
    free = shutil.disk_usage(nearest).free
    if free < LEAST_FREE:
        return warn("disk", f"{size_text(free)} free at {nearest}", "a first pull may need more; free space")
    return ok("disk", f"{size_text(free)} free at {nearest}")
