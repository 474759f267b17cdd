"""Bulk export as in FHIR Bulk Data Access 2.0: kick-off, status, manifest, files, deletion of the job."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.pulling.hospital import FAMILY, Hospital, Version
from tests.pulling.wire import Request, Response, fhir, instant, outcome


@dataclass(frozen=True)
class Exporting:
    """How this hospital exports."""

    polls: int = 1  # answers of 202 before the manifest
    retry_after: str | None = None
    lines: int = 15  # a file
    manifest_pages: int = 1
    has_counts: bool = True
    gzip: str | None = None  # "encoding": by Content-Encoding; "file": the file itself is gzip
    has_ranges: bool = True
    has_validators: bool = True
    requires_token: bool = False
    has_error_file: bool = False
    knows_deleted: bool = True
    relative_status: bool = False
    left_out: tuple[str, ...] = ()  # types that no export has: outside of the patient compartment


@dataclass
class Job:
    """An export under way: what it was asked for, its files, and how often its status was read."""

    number: int
    at: dt.datetime
    types: set[str] | None
    since: dt.datetime | None
    files: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    polls: int = 0
    is_deleted: bool = False


@dataclass
class Exports:
    """The exports of a hospital. `base` is where it answers, `files_at` the origin of its files."""

    hospital: Hospital
    how: Exporting
    base: str = ""
    files_at: str = ""
    jobs: list[Job] = field(default_factory=list)

    def kick_off(self, request: Request, now: dt.datetime) -> Response:
        """202 with the status address; 400 without `Prefer: respond-async`."""
        if "respond-async" not in request.headers.get("prefer", ""):
            return outcome(400, "Prefer: respond-async is missing")
        if "json" not in request.headers.get("accept", ""):
            return outcome(406, "Accept: application/fhir+json is missing")
        since = request.values("_since")
        types = {name for value in request.values("_type") for name in value.split(",")}
        job = Job(
            len(self.jobs) + 1, now, types or None, dt.datetime.fromisoformat(since[0]) if since else None
        )
        self._write(job, [part for value in request.values("_typeFilter") for part in value.split(",")])
        self.jobs.append(job)
        at = f"/fhir/status/{job.number}" if self.how.relative_status else f"{self.base}/status/{job.number}"
        return Response(202, headers={"Content-Location": at})

    def status(self, request: Request, now: dt.datetime) -> Response:
        """202 with progress, then the manifest (or a page of it); 404 for a job that isn't there."""
        job = self._job(request)
        if job is None:
            return outcome(404, "there is no such export")
        if request.method == "DELETE":
            job.is_deleted = True
            return Response(202)
        page = int((request.values("page") or ["1"])[0])
        job.polls += page == 1
        if job.polls <= self.how.polls:
            progress = {"X-Progress": f"{job.polls * 10}% of it"}
            again = {"Retry-After": self.how.retry_after} if self.how.retry_after else {}
            return Response(202, headers={**progress, **again})
        return fhir(self._manifest(job, page)).with_headers(Content_Type="application/json")

    def file(self, request: Request) -> Response:
        """A file of an export, whole or from where a range begins."""
        number, name = request.path.removeprefix("/files/").split("/")
        job = self.jobs[int(number) - 1]
        if job.is_deleted or name not in job.files:
            return outcome(404, "there is no such file")
        content = job.files[name]
        headers = {"Content-Type": "application/fhir+ndjson"}
        if self.how.gzip:
            content = gzip.compress(content, mtime=0)
            headers |= {"Content-Encoding": "gzip"} if self.how.gzip == "encoding" else {}
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if self.how.has_validators:
            headers["ETag"] = tag
        return (
            ranged(request, content, headers, tag) if self.how.has_ranges else Response(200, content, headers)
        )

    def _job(self, request: Request) -> Job | None:
        number = int(request.path.rsplit("/", 1)[1])
        job = self.jobs[number - 1] if number <= len(self.jobs) else None
        return None if job is None or job.is_deleted else job

    def _write(self, job: Job, filters: list[str]) -> None:
        changed = [v for v in self.hospital.newest(job.at) if job.since is None or v.at > job.since]
        asked = [v for v in changed if (job.types is None or v.type in job.types)]
        asked = [v for v in asked if v.type not in self.how.left_out]
        for type in sorted({version.type for version in asked}):
            there = [v for v in asked if v.type == type and v.content and _passes(v, filters)]
            for n in range(0, len(there), self.how.lines):
                lines = [v.content for v in there[n : n + self.how.lines]]
                self._add(job, "output", type, f"{type}.{n // self.how.lines + 1}.ndjson", lines)
        gone = [v for v in asked if v.content is None]
        if job.since is not None and gone and self.how.knows_deleted:
            self._add(job, "deleted", "Bundle", "deleted.ndjson", [_deletions(gone)])
        if self.how.has_error_file:
            issue = [{"severity": "warning", "code": "incomplete", "diagnostics": f"{FAMILY} was left out"}]
            left = [{"resourceType": "OperationOutcome", "issue": issue}]
            self._add(job, "error", "OperationOutcome", "error.ndjson", left)

    def _add(self, job: Job, part: str, type: str, name: str, lines: Iterable[Any]) -> None:
        lines = list(lines)
        job.files[name] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        url = f"{self.files_at}/files/{job.number}/{name}"
        entry = {"type": type, "url": url, **({"count": len(lines)} if self.how.has_counts else {})}
        job.entries.setdefault(part, []).append(entry)

    def _manifest(self, job: Job, page: int) -> dict[str, Any]:
        output = job.entries.get("output", [])
        size = max(1, -(-len(output) // self.how.manifest_pages))
        manifest: dict[str, Any] = {
            "transactionTime": instant(job.at),
            "request": f"{self.base}/Patient/$export",
            "requiresAccessToken": self.how.requires_token,
            "output": output[(page - 1) * size : page * size],
            "error": job.entries.get("error", []) if page == 1 else [],
        }
        if page == 1 and "deleted" in job.entries:
            manifest["deleted"] = job.entries["deleted"]
        if page * size < len(output):
            next_page = f"{self.base}/status/{job.number}?page={page + 1}"
            manifest["link"] = [{"relation": "next", "url": next_page}]
        return manifest


def ranged(request: Request, content: bytes, headers: dict[str, str], tag: str) -> Response:
    """206 from where the range begins, if `If-Range` agrees; 416 past the end; else all of it."""
    headers = {**headers, "Accept-Ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range", tag) != tag:
        return Response(200, content, headers)
    start = int(asked[1])
    if start >= len(content):
        return Response(416, b"", {**headers, "Content-Range": f"bytes */{len(content)}"})
    told = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return Response(206, content[start:], {**headers, "Content-Range": told})


def _passes(version: Version, filters: list[str]) -> bool:
    mine = [urlsplit(text) for text in filters if text.split("?")[0] == version.type]
    return not mine or any(has_code(version, parse_qs(text.query)) for text in mine)


def has_code(version: Version, query: dict[str, list[str]]) -> bool:
    """Whether a coding of the resource is the asked one; the only filter that this hospital knows."""
    codes = {code.rsplit("|", 1)[-1] for value in query.get("code", []) for code in value.split(",")}
    found = {coding["code"] for coding in (version.content or {}).get("code", {}).get("coding", [])}
    return not codes or bool(codes & found)


def _deletions(gone: list[Version]) -> dict[str, Any]:
    entries = [{"request": {"method": "DELETE", "url": f"{v.type}/{v.id}"}} for v in gone]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
