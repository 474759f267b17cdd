"""A drop folder before the first night: what lies there, what will be taken, and what would be made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from flows.config import Site
from flows.doctor.lines import Line, counted, fail, listed, ok, warn
from flows.doctor.mapped import mapped_line, try_views
from flows.doctor.place import free_bytes, size_text
from flows.doctor.zone import zone_line
from flows.errors import UserError
from flows.landing import SUFFIXES, files_under
from flows.pull.clock import Clock
from flows.pull.drop import is_settled
from flows.splitting import split

MOST_FILES = 40  # that are looked into, the smallest first
MOST_OF_A_FILE = 2_000  # resources
MOST_OF_A_TYPE = 20
LARGEST = 256 << 20  # bytes of a file that is looked into; its first resource may be as large


class _Header(msgspec.Struct):
    resourceType: Any = None  # noqa: N815


_decode = msgspec.json.Decoder(_Header).decode


@dataclass
class _Seen:
    """What lies in the folder. `settled` are the files that a pull would take now."""

    settled: list[Path] = field(default_factory=list)
    unsettled: int = 0
    unread: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    size: int = 0


def drop_lines(site: Site, home: Path, clock: Clock, work: Path) -> Iterator[Line]:
    """The lines of a drop folder; `work` is an empty folder for what is under way."""
    folder = site.path
    if folder is None or not folder.is_dir():
        yield fail("folder", f"{folder}: there is no such folder", "make it, or correct `path` of the site")
        return
    try:
        seen = _look(site, folder, clock)
    except UserError:
        yield fail("folder", f"{folder}: a folder in it can't be read", "give cove access")
        return
    except OSError as error:
        yield fail("folder", f"{folder}: can't be read ({error.strerror})", "give cove access")
        return
    yield ok("folder", f"{folder} is there, and can be read")
    yield from _file_lines(site, seen)
    yield _space_line(seen, home)
    texts: list[bytes] = []
    yield from _content_lines(seen, work, texts)
    yield zone_line(site, texts)
    yield _deletions_line()


def _look(site: Site, folder: Path, clock: Clock) -> _Seen:
    seen = _Seen()
    for path in files_under(folder, seen.ignored):
        try:
            with path.open("rb"):
                status = path.stat()
        except FileNotFoundError:
            continue
        except OSError:
            seen.unread.append(path.relative_to(folder).as_posix())
            continue
        seen.kinds[_kind(path)] += 1
        if is_settled(site, clock, status.st_mtime):
            seen.settled.append(path)
            seen.size += status.st_size
        else:
            seen.unsettled += 1
    return seen


def _kind(path: Path) -> str:
    name = path.name.lower()
    packed = ".gz" if name.endswith(".gz") else ""
    ending = next((one for one in SUFFIXES if name.removesuffix(".gz").endswith(one)), "others")
    return f"{ending}{packed}"


def _file_lines(site: Site, seen: _Seen) -> Iterator[Line]:
    if seen.unread:
        number = counted(len(seen.unread), "file")
        yield fail("files", f"{number} can't be read", "give the user that runs cove access")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(seen.kinds.items()))
    if not seen.kinds:
        yield warn("files", "none is there yet", "see whether the hospital drops them here")
    else:
        yield ok("files", f"{counted(seen.kinds.total(), 'file')}: {kinds}")
    if seen.unsettled:
        yield warn(
            "settled",
            f"{counted(seen.unsettled, 'file')} changed within the last {site.settle:g} seconds, or later than now",
            "left for the next run, when nobody writes them any more",
        )
    passed = {why: count for why, count in sorted(seen.ignored.items()) if count}
    if passed:
        told = ", ".join(f"{count} {why}" for why, count in passed.items())
        yield warn("passed over", told, "see docs/files.md for what is taken")


def _space_line(seen: _Seen, home: Path) -> Line:
    free = free_bytes(home)
    told = f"{size_text(seen.size)} would be landed, and {size_text(free)} are free in the home"
    if seen.size > free:
        return fail("space", told, "free space, or choose another `home`")
    return ok("space", told)


def _content_lines(seen: _Seen, work: Path, texts: list[bytes]) -> Iterator[Line]:
    """A line for each type seen in the files; their resources are put into `texts`."""
    found: dict[str, list[bytes]] = {}
    broken: Counter[str] = Counter()
    sizes = sorted((path.stat().st_size, path) for path in seen.settled if path.exists())
    looked_at = [path for size, path in sizes if size <= LARGEST][:MOST_FILES]
    for path in looked_at:
        _take_some(path, work, found, broken)
    if len(looked_at) < len(seen.settled):
        yield ok("looked into", f"{len(looked_at)} of {counted(len(seen.settled), 'file')}, the smallest")
    if broken:
        rules = listed(sorted(broken))
        yield warn(
            "content",
            f"{counted(broken.total(), 'place')} can't be read, by rule {rules}",
            "docs/files.md tells of the rule; tell the hospital",
        )
    for name, some in sorted(found.items()):
        texts += some
        path = work / "sample.ndjson"
        path.write_bytes(b"".join(b" ".join(one.splitlines()) + b"\n" for one in some))
        tried = try_views(name, [path], work)
        yield mapped_line(name, tried) if tried.has_view else ok(name, "there; no view takes it")


def _take_some(path: Path, work: Path, found: dict[str, list[bytes]], broken: Counter[str]) -> None:
    """Adds the first resources of each type in a file, and the rules that others break."""
    number = 0
    for pieces in split(path, work):
        for piece in pieces:
            number += 1
            if piece.rule:
                broken[piece.rule] += 1
            elif piece.deleted is None and (name := _type_of(piece.data)) is None:
                broken["not-a-resource"] += 1
            elif piece.deleted is None and name is not None:
                some = found.setdefault(name, [])
                if len(some) < MOST_OF_A_TYPE:
                    some.append(piece.data)
        if number >= MOST_OF_A_FILE:
            return


def _type_of(data: bytes) -> str | None:
    try:
        name = _decode(data).resourceType
    except (ValueError, RecursionError):
        return None
    # A text of the data may be anything; the names of types are words.
    return name if isinstance(name, str) and name.isalpha() and len(name) < 64 else None


def _deletions_line() -> Line:
    return warn(
        "deletions",
        "deletions aren't seen: drops are increments",
        "let the hospital drop Bundles with DELETE requests, if records are deleted there",
    )
