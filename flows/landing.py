"""Landing: files copied as received, by site and content hash, each with a manifest, never changed."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from flows.errors import UserError
from flows.home import (
    WRITERS,
    Home,
    HomeError,
    opened_private,
    site_name,
    sync,
    write_all_whole,
    write_whole,
)
from flows.unpacking import looks_like_fhir

SUFFIXES = (".ndjson", ".json", ".zip")
SINGLE_SITE = "site"  # the name of the site when the folder has no sub-folders
BLOCK = 1 << 20
TOGETHER = 256  # files that are landed at once


@dataclass(frozen=True)
class LandedFile:
    """A file in the landing zone. `landed_at` is when its content first came from this site.

    `has_only_deletions` where nothing else of it is asked for, as of a server's history: that also tells of
    types and patients that the site's pull doesn't ask for.
    """

    site: str
    sha256: str
    source: str
    landed_at: datetime
    size: int
    path: Path
    is_new: bool = False
    has_only_deletions: bool = False


@dataclass(frozen=True)
class Landing:
    """What one folder gave: its files, and what was passed over, counted by the reason."""

    files: tuple[LandedFile, ...]
    ignored: dict[str, int] = field(default_factory=dict)


def find_sites(folder: Path) -> dict[str, Path]:
    """Site name → its folder: one sub-folder a site, or the folder itself as `site` when it has none.

    Raises UserError for a folder that is missing, unreadable or empty, and for a sub-folder whose name can't
    be a site's.
    """
    try:
        inside = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError as error:
        raise UserError(f"{folder}: there is no such folder; give the one with the FHIR files") from error
    except NotADirectoryError as error:
        raise UserError(f"{folder}: is a file; give the folder that it is in") from error
    except OSError as error:
        raise UserError(f"{folder}: can't be read ({error.strerror})") from error
    folders = [entry for entry in inside if entry.is_dir()]
    if not inside:
        raise UserError(f"{folder}: is empty; put FHIR files there (.ndjson, .json, .gz, .zip)")
    if not folders:
        return {SINGLE_SITE: folder}
    beside = [entry for entry in inside if entry.is_file() and _is_fhir(entry)]
    if beside:
        raise UserError(
            f"{beside[0]}: lies beside the sites' folders, so that its site is unknown; move it into one"
        )
    return _named(folders)


def _named(folders: list[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for folder in folders:
        name = site_name(folder.name)
        if name in named:
            raise UserError(
                f"{folder}: another folder's name is the same text, spelt in other bytes; rename one"
            )
        named[name] = folder
    return named


def land_files(
    home: Home, site: str, folder: Path, *, landed_at: datetime, place: str | None = None
) -> Landing:
    """Copies the FHIR files under the folder (nested ones too) into the landing zone of the site.

    The same content is landed once a site, under its first source and time. Names with a dot in front, links
    that lead out of the folder, and files that are no FHIR by name and look are passed over and counted.
    Their sources begin with `place`, where one is given. Raises UserError where a file can't be read, HomeError
    where the copy can't be written.
    """
    name = site_name(site)
    ignored: Counter[str] = Counter()
    target = home.landing / name
    target.mkdir(mode=0o700, exist_ok=True)
    landed: dict[str, LandedFile] = {}
    paths = files_under(folder, ignored)
    while some := list(itertools.islice(paths, TOGETHER)):
        sources = [(Path(place or "") / path.relative_to(folder)).as_posix() for path in some]
        for file in _land(some, sources, name, target, landed_at):
            if file.sha256 in landed:
                ignored["same content as another file"] += 1
            landed.setdefault(file.sha256, file)
    sync(target)
    return Landing(tuple(landed.values()), dict(ignored))


def land_part(
    site: str,
    part: Path,
    *,
    sha256: str,
    size: int,
    source: str,
    landed_at: datetime,
    has_only_deletions: bool = False,
) -> LandedFile:
    """Makes a finished download in the site's landing folder a landed file; `part` has that content.

    The same content is landed once a site, under its first source and time. Raises OSError where the disk
    fails; the part is there then, or landed.
    """
    path, at = part.with_name(sha256), landed_at.astimezone(UTC)
    landed = _placed(part, LandedFile(site, sha256, source, at, size, path, True, has_only_deletions))
    if landed.is_new:
        # No name that a load takes for its own: a pull doesn't hold the home for writing.
        manifest = _manifest_path(path)
        write_whole(manifest, _manifest(landed, None), part.with_name(f"{manifest.name}.part"))
    return landed


def _placed(part: Path, file: LandedFile) -> LandedFile:
    """The landed file of this content: the part becomes it, unless the content was landed before."""
    known = _manifest_path(file.path)
    if known.exists():
        part.unlink()
        return _read_manifest(known)
    part.replace(file.path)
    return file


def landed_files(home: Home, site: str | None = None) -> list[LandedFile]:
    """Every file of the landing zone (of one site, when given), by site and hash."""
    folders = [home.landing / site] if site else sorted(p for p in home.landing.iterdir() if p.is_dir())
    manifests = (manifest for folder in folders for manifest in sorted(folder.glob("*.json")))
    return [_read_manifest(manifest) for manifest in manifests]


def add_counts(counted: Mapping[LandedFile, Mapping[str, int]]) -> None:
    """Writes into the manifests how many resources of each type the files were found to hold."""
    write_all_whole({_manifest_path(file.path): _manifest(file, counts) for file, counts in counted.items()})


def _land(
    paths: Sequence[Path], sources: Sequence[str], site: str, target: Path, landed_at: datetime
) -> list[LandedFile]:
    """Lands some files, in order. Manifests come last: a file without one was never landed, and is copied again."""
    parts = [target / f".{number}.{os.getpid()}.part" for number in range(len(paths))]
    try:
        with ThreadPoolExecutor(WRITERS) as pool:
            copies = list(pool.map(copy_to, paths, parts))
        new: dict[str, LandedFile] = {}
        found = []
        at = landed_at.astimezone(UTC)
        for part, source, (digest, size) in zip(parts, sources, copies, strict=True):
            if digest not in new:
                path = target / digest
                file = _placed(part, LandedFile(site, digest, source, at, size, path, is_new=True))
                if file.is_new:
                    new[digest] = file
                found.append(file)
            else:
                found.append(new[digest])
        write_all_whole({_manifest_path(file.path): _manifest(file, None) for file in new.values()})
    except OSError as error:
        raise HomeError(f"{target}: a file can't be landed ({error.strerror})") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return found


def copy_to(path: Path, part: Path) -> tuple[str, int]:
    """The hash and size of a file that is copied. Raises UserError where it can't be opened."""
    digest, size = hashlib.sha256(), 0
    try:
        source = path.open("rb")
    except OSError as error:
        raise UserError(
            f"{path.parent}: a file there can't be read ({error.strerror}); give the user that runs cove access"
        ) from error
    with source, opened_private(part) as target:
        block = source.read(BLOCK)
        if len(block) < BLOCK:
            digest.update(block)
            size = target.write(block)
        else:
            size = _copy_blocks(block, source, target, digest)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest(), size


def _copy_blocks(block: bytes, source: BinaryIO, target: BinaryIO, digest: hashlib._Hash) -> int:
    """Writes a block while the next is read and hashed: both take their time outside of Python."""
    size = 0
    written: Future[int] | None = None
    with ThreadPoolExecutor(1) as writer:
        while block:
            digest.update(block)
            size += len(block)
            if written is not None:
                written.result()
            written = writer.submit(target.write, block)
            block = source.read(BLOCK)
        if written is not None:
            written.result()
    return size


def files_under(folder: Path, ignored: Counter[str]) -> Iterator[Path]:
    """The FHIR files below a folder by their paths; what is passed over is counted in `ignored`."""
    inside = folder.resolve()

    def fail(error: OSError) -> None:
        raise UserError(
            f"{error.filename}: can't be read ({error.strerror}); give the user that runs cove access"
        )

    for parent, folders, names in os.walk(folder, onerror=fail):
        ignored["hidden"] += sum(name.startswith(".") for name in (*folders, *names))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # The walk doesn't follow links to folders: they may lead in a circle.
        ignored["link to a folder"] += sum((Path(parent) / name).is_symlink() for name in folders)
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(parent) / name
            reason = _reason_to_ignore(path, inside)
            if reason is None:
                yield path
            else:
                ignored[reason] += 1
    for reason in [reason for reason, count in ignored.items() if not count]:
        del ignored[reason]


def _reason_to_ignore(path: Path, inside: Path) -> str | None:
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            return "link out of the folder"
    except RuntimeError:
        return "link in a circle"
    if not path.is_file():
        return "not a file"
    return None if _is_fhir(path) else "not FHIR by its name and look"


def _is_fhir(path: Path) -> bool:
    """By its suffix; or, whatever its name, when its first bytes are those of an archive or of a resource."""
    if path.name.lower().removesuffix(".gz").endswith(SUFFIXES):
        return True
    try:
        with path.open("rb") as source:
            return looks_like_fhir(source.read(4096))
    except FileNotFoundError:
        return False  # it went away meanwhile
    except OSError as error:
        raise UserError(
            f"{path.parent}: a file there can't be read ({error.strerror}); give the user that runs cove access"
        ) from error


def _manifest_path(landed: Path) -> Path:
    return landed.with_name(f"{landed.name}.json")


def _manifest(file: LandedFile, counts: Mapping[str, int] | None) -> bytes:
    content = {
        "site": file.site,
        "source": file.source,
        "landed_at": file.landed_at.isoformat(),
        "sha256": file.sha256,
        "bytes": file.size,
        "resources": None if counts is None else sum(counts.values()),
        "types": None if counts is None else dict(sorted(counts.items())),
    }
    if file.has_only_deletions:
        content["has_only_deletions"] = True
    return json.dumps(content, ensure_ascii=False, indent=1).encode(errors="surrogateescape") + b"\n"


def _read_manifest(path: Path) -> LandedFile:
    content = json.loads(path.read_bytes().decode(errors="surrogateescape"))
    return LandedFile(
        content["site"],
        content["sha256"],
        content["source"],
        datetime.fromisoformat(content["landed_at"]),
        content["bytes"],
        path.with_name(content["sha256"]),
        has_only_deletions=content.get("has_only_deletions", False),
    )
