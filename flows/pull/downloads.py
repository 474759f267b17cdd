"""A file from a server to the landing zone: as received, whole or absent, gone on from where it broke off."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import requests

from flows.home import opened_private
from flows.pull.failures import FailedTry, Refused, WrongContent
from flows.pull.http import Ask, Connection
from flows.pull.receiving import Received, Receiving
from flows.pull.tries import with_tries
from flows.pull.urls import fingerprint, told

Check = Callable[[Path, Received, requests.Response], None]

RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
WORTH_A_NOTE = 1 << 20  # bytes: a smaller file is sooner fetched than its validator noted
NOTE = ".resume.part"


def check_nothing(part: Path, received: Received, response: requests.Response) -> None:
    """Takes every body as it is."""


@dataclass
class Download:
    """A file being fetched to `part`. `validator` is the server's, by which it can tell the same bytes again."""

    part: Path
    validator: str | None = None

    def forget(self) -> None:
        """Removes what came, so that a try begins at the beginning."""
        self.validator = None
        self.part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        return self.part.with_name(self.part.name.removesuffix(".part") + NOTE)

    @property
    def beginning(self) -> int:
        """How many bytes are there to go on from."""
        return self.part.stat().st_size if self.validator and self.part.exists() else 0

    def recall(self) -> None:
        """Takes up what a killed run left, where it noted the server's validator."""
        try:
            self.validator = json.loads(self._note.read_bytes())["validator"]
        except (OSError, ValueError, KeyError, TypeError):
            self.forget()

    def note(self, response: requests.Response) -> None:
        """Notes the server's validator before any byte that it stands for is written."""
        self.validator = validator_of(response)
        size = response.headers.get("Content-Length", "")
        if self.validator and not (size.isdecimal() and int(size) < WORTH_A_NOTE):
            with opened_private(self._note) as note:
                note.write(json.dumps({"validator": self.validator}).encode())
        else:
            self._note.unlink(missing_ok=True)


def part_for(folder: Path, url: str) -> Path:
    """Where a URL's unfinished download lies."""
    return folder / f"{fingerprint(url)}.part"


def download(connection: Connection, ask: Ask, part: Path, check: Check = check_nothing) -> Received:
    """Fetches a body to `part` with tries, and gives what it is.

    `check` is called on each whole body, and may raise FailedTry. Raises Refused, SiteFailure, and OSError
    where the disk fails.
    """
    download = Download(part)
    download.recall()
    try:
        return with_tries(
            connection.site.retry,
            connection.clock,
            ask.step,
            lambda: _attempt(connection, ask, download, check),
            connection.tell,
        )
    except OSError:
        # On a full disk the space is worth more than what came.
        download.forget()
        raise


def finish(part: Path) -> None:
    """Removes what is noted of a download that has landed."""
    Download(part).forget()


def _attempt(connection: Connection, ask: Ask, download: Download, check: Check) -> Received:
    begins_at = download.beginning
    if begins_at:
        resumed = {"Range": f"bytes={begins_at}-", "If-Range": str(download.validator)}
        ask = replace(ask, headers={**ask.headers, **resumed})
    try:
        with connection.answer(ask) as response:
            whole = _size_of_whole(response, begins_at, download.validator)
            goes_on = whole is not None
            if not goes_on:
                download.forget()
                download.note(response)
            with Receiving(download.part, told(ask.url), goes_on=goes_on) as receiving:
                for block in connection.blocks(response):
                    receiving.put(block)
                received = receiving.received()
            if whole is not None and received.size != whole:
                # A server may send less than the range that it was asked for.
                raise FailedTry(f"{told(ask.url)} sent a part that isn't the rest")
            check(download.part, received, response)
            return received
    except WrongContent:
        download.forget()
        raise
    except Refused as refused:
        if refused.status != 416 or not begins_at:
            raise
        download.forget()
        raise FailedTry(f"{told(ask.url)} has no such range any more") from refused


def _size_of_whole(response: requests.Response, begins_at: int, validator: str | None) -> int | None:
    """The size of the file that the body is the rest of; None where the body is the file."""
    if response.status_code != 206:
        return None
    found = RANGE.match(response.headers.get("Content-Range", ""))
    # A server that doesn't know `If-Range` may send a part of another content.
    is_same = validator_of(response) in (None, validator)
    if not begins_at or not is_same or found is None or int(found[1]) != begins_at:
        raise WrongContent(f"{told(response.url)} sent another part than it was asked for")
    return int(found[2])


def validator_of(response: requests.Response) -> str | None:
    """What `If-Range` may compare: a strong ETag, else the time of the last change; None where there are no ranges."""
    if response.headers.get("Accept-Ranges", "").strip().lower() == "none":
        return None
    etag = response.headers.get("ETag", "").strip()
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified") or None
