"""The manifest of a bulk export: its files, over all of its pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flows.pull.failures import FailedTry, SiteFailure
from flows.pull.http import JSON, Ask, Connection, Document
from flows.pull.urls import joined, told
from mappers.fhir_types import has_type

KINDS = ("output", "deleted", "error")


@dataclass(frozen=True)
class ManifestFile:
    """A file of an export; `kind` is its list in the manifest, `count` the lines that it is said to have."""

    kind: str
    url: str
    resource_type: str | None
    count: int | None


@dataclass(frozen=True)
class Manifest:
    """An export's files. `transaction_time` is the server's, as written; None where it gives none that is one."""

    transaction_time: str | None
    requires_access_token: bool
    files: tuple[ManifestFile, ...]


def check_manifest(document: Document) -> None:
    """Raises FailedTry where a document can't be a page of a manifest."""
    if document.status == 202:
        return
    if not isinstance(document.content.get("output"), list):
        raise FailedTry(f"{told(document.url)} answered with something else than a manifest")
    list(_files(document))
    _next(document)


def read_manifest(connection: Connection, first: Document) -> Manifest:
    """The manifest of the first page and those that follow it. Raises Refused or SiteFailure."""
    files = list(_files(first))
    seen, page = {first.url}, first
    while (url := _next(page)) is not None:
        if url in seen:
            raise SiteFailure(
                "manifest",
                f"{told(url)} leads back to a page already read",
                "tell the hospital, then run again",
            )
        seen.add(url)
        page = connection.tried(Ask(url, "manifest", accept=JSON), check_manifest)
        files += _files(page)
    return Manifest(
        _instant(first.content.get("transactionTime")),
        first.content.get("requiresAccessToken") is not False,
        # A file that stands on two pages is one file.
        tuple({(file.kind, file.url): file for file in files}.values()),
    )


def _instant(written: Any) -> str | None:
    """An instant as written: another text, given back as `_since`, would be refused by each next export."""
    try:
        dt.datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return None
    return str(written)


def _files(page: Document) -> Iterator[ManifestFile]:
    for kind in KINDS:
        listed = page.content.get(kind) or []
        for item in listed if isinstance(listed, list) else [listed]:
            yield _file(kind, item, page.url)


def _file(kind: str, item: Any, base: str) -> ManifestFile:
    written = item.get("url") if isinstance(item, dict) else None
    url = joined(base, written) if isinstance(written, str) else None
    if url is None:
        raise FailedTry(f"{told(base)} names a file without an address")
    count = item.get("count")
    return ManifestFile(
        kind,
        url,
        _known_type(item.get("type")),
        count if isinstance(count, int) and not isinstance(count, bool) else None,
    )


def _known_type(written: Any) -> str | None:
    """FHIR's name of a type; None for another text, which may be anything, and would be shown and kept."""
    is_known = isinstance(written, str) and any(has_type(version, written) for version in ("R4B", "R5"))
    return written if is_known else None


def _next(page: Document) -> str | None:
    return next_link(page.content.get("link"), page.url)


def next_link(links: Any, base: str) -> str | None:
    """The address of the next page among the links of a manifest or a Bundle, as given where it is whole."""
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            url = joined(base, link["url"])
            if url is None:
                raise FailedTry(f"{told(base)} has a `next` link that is no address")
            return url
    return None
