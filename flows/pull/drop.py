"""Drop folders: what lies there and is finished is taken, once by content, and left where it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from flows.config import Site
from flows.errors import UserError
from flows.landing import copy_to, files_under
from flows.pull.clock import Clock
from flows.pull.downloads import part_for
from flows.pull.failures import GOES_ON, SiteFailure
from flows.pull.receiving import Received
from flows.pull.site_pull import SitePull
from flows.pull.urls import fingerprint


def pull_drop(pull: SitePull) -> None:
    """Lands the files of the site's folder that are finished and new. Raises SiteFailure."""
    folder = pull.site.path
    if folder is None or not folder.is_dir():
        raise SiteFailure(
            "files", f"{folder}: there is no such folder", "make it, or correct `path` of the site"
        )
    taken: dict[str, list[int]] = pull.state.content.setdefault("dropped", {})
    ignored: Counter[str] = Counter()
    unsettled, unread, present = 0, 0, set()
    try:
        for path in files_under(folder, ignored):
            name = fingerprint(path.relative_to(folder).as_posix())
            present.add(name)
            seen = _seen(path)
            if seen is not None and taken.get(name) == seen:
                continue
            is_finished = seen is not None and is_settled(pull.site, pull.clock, seen[1] / 1e9)
            if not is_finished or (is_taken := _take(pull, path, folder)) is None:
                unsettled += 1
            elif is_taken:
                taken[name] = seen or []
            else:
                unread += 1
    except UserError as error:
        raise SiteFailure("files", f"{folder}: a folder or file can't be read", "give cove access") from error
    for name in taken.keys() - present:
        del taken[name]
    pull.state.save()
    _tell(pull, ignored, unsettled)
    if unread:
        raise SiteFailure("files", f"{folder}: {unread} files can't be read", f"give cove access; {GOES_ON}")


def _tell(pull: SitePull, ignored: Counter[str], unsettled: int) -> None:
    for why, count in sorted(ignored.items()):
        pull.note(f"{count} passed over: {why}")
    if unsettled:
        pull.note(
            f"{unsettled} changed within the last {pull.site.settle:g} seconds, and are left for the next run"
        )


def _seen(path: Path) -> list[int] | None:
    """What changes when a file does, so that one that didn't needn't be read again; None where it went away."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def is_settled(site: Site, clock: Clock, changed_at: float) -> bool:
    """Whether nobody seems to write a file any more that was last changed at a time (seconds of the epoch)."""
    return clock.now().timestamp() - changed_at >= site.settle


def _take(pull: SitePull, path: Path, folder: Path) -> bool | None:
    """Whether the file could be read; None where it changed meanwhile, or went away."""
    relative = path.relative_to(folder).as_posix()
    part = part_for(pull.folder, relative)
    try:
        before = _seen(path)
        sha256, size = copy_to(path, part)
        after = _seen(path)
    except FileNotFoundError:
        return None
    except UserError:
        return False if path.exists() else None
    except OSError:
        part.unlink(missing_ok=True)
        raise
    if before != after:
        part.unlink()
        return None
    pull.land(
        part, Received(sha256, size, 0), kind="dropped", resource_type=None, url=relative, source=relative
    )
    return True
