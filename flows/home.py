"""The home: the folder where Cove keeps what it received and what it made of it.

landing/          files as received, by site and content hash, each with its manifest
fhir/             Parquet that never changes: of each load, view and site, small ones put together; and the
                  verdicts of the full validation, in _validated/
warehouse.duckdb  the published warehouse; versions/ the former ones
runs/             a record of each run: what was asked, when, by what versions, and how it ended
work/             pieces of a load under way; nothing there outlives it
key               the secret of the patients' pseudonyms
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import unicodedata
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flows.errors import SourceError, UserError

KEY_BYTES = 32
WRITERS = 8  # files that are written at once, where there are many
NAME_LIMIT = 200  # bytes: a file system's 255, less what is put around a name


class HomeError(SourceError):
    """The home can't be read or written: no space, no permission, a failing disk."""


@dataclass(frozen=True)
class Home:
    """Where everything lies in a home."""

    root: Path

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def fhir(self) -> Path:
        return self.root / "fhir"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def versions(self) -> Path:
        return self.root / "versions"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def key_file(self) -> Path:
        return self.root / "key"


def open_home(root: Path) -> Home:
    """The home at `root`, made when it isn't there: folders for their owner only, and a new key.

    Raises UserError where the folder can't be made or written.
    """
    home = Home(root.absolute())
    try:
        for folder in (home.root, home.landing, home.fhir, home.versions, home.runs, home.work):
            folder.mkdir(mode=0o700, parents=folder == home.root, exist_ok=True)
        _create_key(home.key_file)
    except OSError as error:
        raise UserError(
            f"{root}: can't be used as a home ({error.strerror}); choose another with --home"
        ) from error
    return home


def read_key(home: Home) -> bytes:
    """The key of the pseudonyms. Raises HomeError when it is too short to be one, as after a full disk."""
    key = home.key_file.read_bytes()
    if len(key) < KEY_BYTES:
        raise HomeError(f"{home.key_file}: is cut short; restore it from a backup, pseudonyms depend on it")
    return key


def site_name(text: str) -> str:
    """The site's name in NFC, which is also a folder's.

    Letters of any script, digits, `.`, `-`, `_` and spaces, the last four not at the beginning. Raises
    UserError.
    """
    name = unicodedata.normalize("NFC", text)
    if not name or name[0] in ".-_ " or not all(_may_be_in_name(character) for character in name):
        raise UserError(
            f"site {text!r}: a site's name has letters, digits, '.', '-', '_' and spaces, "
            "and begins with a letter or digit; rename the site or its folder"
        )
    if len(name.encode()) > NAME_LIMIT:
        raise UserError(f"site {text!r}: the name is longer than {NAME_LIMIT} bytes; shorten it")
    return name


def _may_be_in_name(character: str) -> bool:
    # Marks belong to letters: many scripts have letters that NFC can't compose into one character.
    return character in ".-_ " or unicodedata.category(character)[0] in "LM" or character.isdecimal()


def make_private(folder: Path) -> None:
    """Makes the folder, and those above it that aren't there, for their owner only."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def write_whole(path: Path, content: bytes, part: Path | None = None) -> None:
    """Writes a file so that a reader, or a crash, finds the former content or the new one, never a part.

    `part` is where it is written first; without it a name that the next who holds the home for writing removes.
    """
    _write_part(path, content, part).replace(path)
    sync(path.parent)


def write_all_whole(contents: Mapping[Path, bytes]) -> None:
    """The same for many files at once: waiting for the disk is what takes the time."""
    with ThreadPoolExecutor(WRITERS) as pool:
        parts = list(pool.map(_write_part, contents, contents.values()))
    for part, path in zip(parts, contents, strict=True):
        part.replace(path)
    for folder in sorted({path.parent for path in contents}):
        sync(folder)


def _write_part(path: Path, content: bytes, part: Path | None = None) -> Path:
    part = part or path.with_name(f".{path.name}.{os.getpid()}.part")
    with opened_private(part) as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    return part


@contextlib.contextmanager
def opened_private(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner can read, open for writing bytes."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as target:
        yield target


def sync(path: Path) -> None:
    """Makes a file's content, or the renames in a folder, outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def writing(home: Home) -> Iterator[Path]:
    """Holds the home for writing (others wait), and gives an empty folder for pieces, removed at the end."""
    with (home.root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whatever is there was left by a run that was killed: only the holder of the lock writes.
        shutil.rmtree(home.work, ignore_errors=True)
        home.work.mkdir(mode=0o700, exist_ok=True)
        for part in (*home.landing.glob("*/.*.part"), *(home.fhir / "_loads").rglob(".*.part")):
            part.unlink()
        try:
            yield home.work
        finally:
            shutil.rmtree(home.work, ignore_errors=True)
            home.work.mkdir(mode=0o700, exist_ok=True)


def _create_key(path: Path) -> None:
    if path.exists():
        return
    part = path.with_name(f".key.{os.getpid()}.part")
    with opened_private(part) as target:
        target.write(secrets.token_bytes(KEY_BYTES))
    with contextlib.suppress(FileExistsError):
        # Two first runs at once agree on one key: a link, unlike a rename, never replaces.
        os.link(part, path)
    part.unlink()
