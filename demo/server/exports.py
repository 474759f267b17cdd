"""Bulk export, as in FHIR Bulk Data Access 2: kick-off, status, manifest, files, and the end of the job."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.hospitals.packing import line
from demo.server.holdings import Holding, Version, after, instant
from demo.server.messages import Answer, Asked, as_json, refusal

GROUP = "clofarabine"
NDJSON = "application/fhir+ndjson"
JOB = re.compile(r"/export/(?P<job>\d+)(?:/(?P<file>[\w-]+\.ndjson))?")
RANGE = re.compile(r"bytes=(\d+)-")
POLLS = 1  # answers of "not yet" before the manifest


@dataclass
class Job:
    """An export: its files, made when it was started, and how often its status was asked for."""

    at: datetime
    files: dict[str, bytes]
    counts: dict[str, int]
    polls: int = 0


@dataclass
class Exports:
    """The exports of one hospital. `broken` lines stand at the end of the first file of their type."""

    holding: Holding
    base: str
    is_gzipped: bool = False
    broken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)

    def start(self, asked: Asked, now: datetime) -> Answer:
        """Begins an export of the types, of what changed since an instant."""
        if "respond-async" not in asked.headers.get("prefer", ""):
            return refusal(400, "an export needs `Prefer: respond-async`")
        written = asked.value("_since")
        since = datetime.fromisoformat(written) if written else None
        name = str(len(self.jobs) + 1)
        self.jobs[name] = self._job(asked.values("_type"), since, now)
        return Answer(202, headers={"Content-Location": f"{self.base}/export/{name}"})

    def group(self, now: datetime) -> Answer:
        """The Group that is exported, with its members: every patient who is there."""
        patients = [v for v in self.holding.current(now) if v.type == "Patient"]
        members = [{"entity": {"reference": f"Patient/{patient.id}"}} for patient in patients]
        content = {"resourceType": "Group", "id": GROUP, "type": "person", "actual": True, "member": members}
        return as_json(content)

    def answer(self, asked: Asked) -> Answer:
        """The status of an export, its manifest once it is done, a file of it, or its end."""
        found = JOB.fullmatch(asked.path)
        job = self.jobs.get(found["job"]) if found else None
        if found is None or job is None:
            return refusal(404, "there is no such export")
        if found["file"]:
            return self._file(job, found["file"], asked)
        if asked.method == "DELETE":
            del self.jobs[found["job"]]
            return Answer(202)
        job.polls += 1
        if job.polls <= POLLS:
            return Answer(202, headers={"X-Progress": "half of it is written", "Retry-After": "1"})
        return as_json(self._manifest(found["job"], job), kind="application/json")

    def _job(self, types: list[str], since: datetime | None, now: datetime) -> Job:
        texts: dict[str, list[str]] = {}
        newest = [v for v in self.holding.newest(now) if v.type in types]
        for version in after(newest, since):
            if version.content is not None:
                texts.setdefault(version.type, []).append(line(version.content))
        for kind in texts if since is None else ():
            texts[kind] += self.broken.get(kind, ())
        gone = [version for version in after(newest, since) if version.content is None]
        if since is not None and gone:
            texts["deleted"] = [line(_deletions(gone))]
        files = {name: "".join(f"{text}\n" for text in lines).encode() for name, lines in texts.items()}
        return Job(now, files, {name: len(lines) for name, lines in texts.items()})

    def _manifest(self, name: str, job: Job) -> dict[str, Any]:
        def listed(is_deleted: bool) -> list[dict[str, Any]]:
            return [
                {
                    "type": "Bundle" if is_deleted else kind,
                    "url": f"{self.base}/export/{name}/{kind}.ndjson",
                    "count": job.counts[kind],
                }
                for kind in job.files
                if (kind == "deleted") is is_deleted
            ]

        return {
            "transactionTime": instant(job.at),
            "request": f"{self.base}/$export",
            "requiresAccessToken": True,
            "output": listed(is_deleted=False),
            "deleted": listed(is_deleted=True),
            "error": [],
        }

    def _file(self, job: Job, name: str, asked: Asked) -> Answer:
        content = job.files.get(name.removesuffix(".ndjson"))
        if content is None:
            return refusal(404, "there is no such file")
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"Content-Type": NDJSON, "ETag": tag}
        if self.is_gzipped:
            return Answer(200, gzip.compress(content, mtime=0), {**headers, "Content-Encoding": "gzip"})
        begins = RANGE.fullmatch(asked.headers.get("range", ""))
        if begins is None or asked.headers.get("if-range") != tag:
            return Answer(200, content, headers)
        start = int(begins[1])
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Answer(206, content[start:], {**headers, "Content-Range": place})


def _deletions(gone: list[Version]) -> dict[str, Any]:
    entries = [{"request": {"method": "DELETE", "url": f"{v.type}/{v.id}"}} for v in gone]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
