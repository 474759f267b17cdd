"""Builds the HAPI FHIR server of `hapi/` with Maven, once, into the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).with_name("hapi")
JAVA = 17
BUILD_SECONDS = 900
UNUSED_SECONDS = 7 * 86_400  # another checkout's tests may use theirs until then

# What Maven says when it can't get a library: a machine without Maven Central, not a wrong project.
NOT_FETCHED = ("Could not transfer", "Could not find artifact", "Non-resolvable", "could not be resolved")


class UnavailableError(Exception):
    """The server can't be had on this machine; the text says why."""


def built_server() -> Path:
    """The folder with `classes/` and `lib/` of the server, built if it isn't in the cache yet.

    The folder is named by the hash of the project's files, so a changed project is built anew. Raises UnavailableError
    without Java, Maven or Maven Central, RuntimeError where the project doesn't compile.
    """
    _require_java()
    folder = cache_folder() / f"hapi-{_project_hash()}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / "hapi.lock"):
        if not folder.is_dir():
            _build(folder)
        os.utime(folder)
        _remove_unused(folder)
    return folder


def java() -> str:
    """The Java that runs the server: that of JAVA_HOME, else the one on the path. Raises UnavailableError."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin")) if home else None) or shutil.which("java")
    if found is None:
        raise UnavailableError("Java is missing")
    return found


def cache_folder() -> Path:
    """Where what the tests build is kept, outside of the repository."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cove-tests"


def _require_java() -> None:
    said = subprocess.run(
        [java(), "-version"], capture_output=True, text=True, timeout=60, check=False
    ).stderr
    version = said.partition('version "')[2].partition('"')[0]
    if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < JAVA:
        raise UnavailableError(f"Java {JAVA} is needed; this is {version or 'of an unknown version'}")


def _project_hash() -> str:
    files = sorted(path for path in PROJECT.rglob("*") if path.suffix in (".java", ".xml"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(PROJECT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _build(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise UnavailableError("Maven is missing")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as name:
        work = Path(name) / "hapi"
        shutil.copytree(PROJECT, work, ignore=shutil.ignore_patterns("target"))
        _run_maven([maven, "--batch-mode", "--quiet", "process-classes"], work)
        (work / "target").replace(folder)


def _remove_unused(built: Path) -> None:
    """Removes servers of other states of the project, and what killed builds left, that nobody used for a while."""
    others = [path for pattern in ("hapi-*", ".building-*") for path in built.parent.glob(pattern)]
    for path in others:
        if path != built and time.time() - path.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _run_maven(command: list[str], work: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"Maven took longer than {BUILD_SECONDS} s") from error
    if done.returncode and any(sign in done.stdout for sign in NOT_FETCHED):
        raise UnavailableError("Maven Central isn't reached, or lacks a library")
    if done.returncode:
        raise RuntimeError(f"the HAPI server doesn't build:\n{done.stdout[-3000:]}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone on the machine: of several test processes one builds, the others wait and use it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
