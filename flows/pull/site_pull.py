"""One site's pull under way: what all its steps share."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flows.config import Site
from flows.home import Home
from flows.landing import LandedFile, land_part
from flows.pull.clock import Clock
from flows.pull.downloads import finish
from flows.pull.http import Connection
from flows.pull.politeness import Politeness
from flows.pull.receiving import Received
from flows.pull.state import PulledFile, SiteState
from flows.pull.urls import fingerprint, told


@dataclass
class SitePull:
    """A site, its state and its place. `landed_at` is one for the run: no order of files decides anything."""

    site: Site
    home: Home
    clock: Clock
    state: SiteState
    landed_at: dt.datetime
    say: Callable[[str], None]
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    new_files: int = 0
    files: list[PulledFile] = field(default_factory=list)
    politeness: Politeness = field(init=False)
    connection: Connection | None = None  # without credentials; made by the first step that needs one
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.politeness = Politeness(self.site, self.clock)

    @property
    def folder(self) -> Path:
        """The site's place in the landing zone."""
        return self.home.landing / self.site.name

    def land(
        self,
        part: Path,
        received: Received,
        *,
        kind: str,
        resource_type: str | None,
        url: str,
        source: str | None = None,
        asked_by: str = "",
    ) -> LandedFile:
        """Lands a finished download, then notes that it has."""
        with self._lock:
            landed = land_part(
                self.site.name,
                part,
                sha256=received.sha256,
                size=received.size,
                source=source or told(url),
                landed_at=self.landed_at,
                has_only_deletions=kind == "history",
            )
            finish(part)
            self.state.add_file(
                PulledFile(
                    landed.sha256,
                    kind,
                    resource_type,
                    fingerprint(url),
                    self.landed_at.isoformat(),
                    asked_by,
                )
            )
            self.new_files += landed.is_new
        return landed

    def note(self, text: str) -> None:
        """Tells something at the end of the pull."""
        with self._lock:
            self.notes.append(f"{self.site.name}: {text}")

    def problem(self, text: str) -> None:
        """Tells something that makes the run end with exit code 1."""
        with self._lock:
            self.problems.append(f"{self.site.name}: {text}")
