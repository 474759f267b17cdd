"""What a home knows of each site's pulls: the one under way, and from when the next has to begin.

pulls/<site>.json              the state: bounds of the next pull, and how far the one under way has come
pulls/_running/<site>.ndjson   a line for each file that the pull under way has landed
pulls/_records/<site>/         a record for each pull: what the warehouse's `meta.pull` is made of
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.home import Home, write_whole

UNFINISHED = "unfinished"  # the step, and the record, of a pull that is under way or was killed
RUNNING, RECORDS = "_running", "_records"


@dataclass(frozen=True)
class PulledFile:
    """A file of a pull: its content, what it is (output, deleted, error, page, history, medication, dropped),
    the resource type that was asked for, and the fingerprint of the URL that gave it; `asked_by` tells exports
    of a pull apart.
    """

    sha256: str
    kind: str
    resource_type: str | None
    url_fingerprint: str
    received_at: str
    asked_by: str = ""


class SiteState:
    """The state of one site, on disk after each change. Any thread may call it."""

    def __init__(self, home: Home, site: str) -> None:
        folder = home.root / "pulls"
        self._path = folder / f"{site}.json"
        self._journal = folder / RUNNING / f"{site}.ndjson"
        self._records = folder / RECORDS / site
        for place in (folder, self._journal.parent, self._records):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self.content: dict[str, Any] = _read(self._path)
        self._files = self._read_journal()

    @property
    def running(self) -> dict[str, Any] | None:
        """The pull under way, None between pulls."""
        found: dict[str, Any] | None = self.content.get("running")
        return found

    def begin(self, running: dict[str, Any]) -> None:
        """Begins a pull; what another had noted is dropped, its landed files stay."""
        with self._lock:
            self.content["running"] = running
            self._files = []
            self._journal.unlink(missing_ok=True)
            self.save()

    def save(self) -> None:
        with self._lock:
            text = json.dumps(self.content, ensure_ascii=False, indent=1).encode()
            write_whole(self._path, text)

    def change(self, part: dict[str, Any], **values: Any) -> None:
        """Changes a part of the state, and writes all of it."""
        with self._lock:
            part.update(values)
            self.save()

    def add_file(self, file: PulledFile) -> None:
        """Notes a landed file of the pull under way. A line cut short by a kill is a file fetched again."""
        with self._lock:
            handle = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "ab") as target:
                target.write(_line(file))
                target.flush()
                os.fsync(target.fileno())
            self._files.append(file)

    def files(self) -> list[PulledFile]:
        """What the pull under way has landed so far."""
        with self._lock:
            return list(self._files)

    def drop_files(self, asked_by: str) -> None:
        """Forgets what an export has landed that is started anew: its URLs may be the next one's too."""
        with self._lock:
            kept = [file for file in self._files if file.asked_by != asked_by]
            if len(kept) < len(self._files):
                self._files = kept
                write_whole(self._journal, b"".join(_line(file) for file in kept))

    def record(self, failed_step: str | None, at: str) -> None:
        """Writes what is to be known of the pull under way; whole, when no step failed."""
        running = self.running or {}
        record = {key: value for key, value in running.items() if key in RECORDED}
        record["completed_at"] = None if failed_step else at
        record["failed_step"] = failed_step
        record["ended_at"] = at
        files = self.files()
        record["files"] = [
            {
                "sha256": file.sha256,
                "kind": file.kind,
                "resource_type": file.resource_type,
                "received_at": file.received_at,
            }
            for file in files
        ]
        # Pulls that bring nothing are many where a folder is watched: the last one is kept. That a whole pull
        # brought nothing says that everything is gone.
        brings_nothing = not files and not record["is_full"]
        name = ("without-files" if not failed_step else UNFINISHED) if brings_nothing else running["id"]
        write_whole(self._records / f"{name}.json", json.dumps(record, ensure_ascii=False, indent=1).encode())
        if name != UNFINISHED:
            (self._records / f"{UNFINISHED}.json").unlink(missing_ok=True)

    def end(self) -> None:
        """Ends the pull under way, which is complete."""
        with self._lock:
            self.content["running"] = None
            self.save()
            self._files = []
            self._journal.unlink(missing_ok=True)

    def _read_journal(self) -> list[PulledFile]:
        try:
            text = self._journal.read_bytes()
        except FileNotFoundError:
            return []
        whole, _, cut = text.rpartition(b"\n")
        if cut:
            # Else the next line would be written to the end of this one.
            write_whole(self._journal, whole + b"\n" if whole else b"")
        return [PulledFile(**json.loads(line)) for line in whole.splitlines() if line]


def _line(file: PulledFile) -> bytes:
    return json.dumps(asdict(file), ensure_ascii=False).encode() + b"\n"


RECORDED = (
    "id", "site", "source", "started_at", "since", "is_full", "types", "deletions", "landed_at",
)  # fmt: skip


def record_paths(home: Home) -> list[Path]:
    """The records of all pulls, by site and time."""
    return sorted((home.root / "pulls" / RECORDS).glob("*/*.json"))


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"since": {}, "running": None}
    return content
