"""REST search with pages and `_lastUpdated`, and `_history`, as in FHIR R4."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.pulling.exports import has_code
from tests.pulling.hospital import Hospital, Version
from tests.pulling.wire import Request, Response, fhir, instant, outcome


@dataclass(frozen=True)
class Searching:
    """How this hospital answers searches."""

    page: int = 10
    has_outcome_entry: bool = False
    relative_next: bool = False
    knows_last_updated: bool = True


def search(hospital: Hospital, how: Searching, base: str, request: Request, now: dt.datetime) -> Response:
    """A page of the type's resources, with a link to the next."""
    type = request.path.removeprefix("/fhir/")
    query = parse_qs(urlsplit(request.target).query)
    if "_lastUpdated" in query and not how.knows_last_updated:
        return outcome(400, "_lastUpdated isn't known here")
    found = [v for v in hospital.current(now) if v.type == type and _passes(v, query)]
    start, size = int(query.get("at", ["0"])[0]), min(how.page, int(query.get("_count", [how.page])[0]))
    entries = [
        {"fullUrl": f"{base}/{v.type}/{v.id}", "resource": v.content, "search": {"mode": "match"}}
        for v in found[start : start + size]
    ]
    entries += _included(hospital, query, base, found[start : start + size], now)
    if how.has_outcome_entry and start == 0:
        issue = [{"severity": "warning", "code": "incomplete", "diagnostics": "some were left out"}]
        entries.append(
            {"resource": {"resourceType": "OperationOutcome", "issue": issue}, "search": {"mode": "outcome"}}
        )
    rest = [(name, value) for name, value in request.query if name != "at"]
    links = [{"relation": "self", "url": f"{base}/{type}?{urlencode(rest)}"}]
    if start + size < len(found):
        # A parameter that the client can't have made up: the link must be used as given.
        next_page = urlencode([*rest, ("at", str(start + size)), ("kept", "a b|c")])
        links.append(
            {"relation": "next", "url": f"{'/fhir' if how.relative_next else base}/{type}?{next_page}"}
        )
    return fhir(_bundle("searchset", links, entries, now))


def history(hospital: Hospital, base: str, request: Request, now: dt.datetime) -> Response:
    """Versions and deletions since an instant, the newest first, of the system or one type."""
    type = request.path.removeprefix("/fhir").removesuffix("_history").strip("/")
    since = request.values("_since")
    after = dt.datetime.fromisoformat(since[0]) if since else None
    found = [
        v
        for v in hospital.versions
        if v.at <= now and type in ("", v.type) and (after is None or v.at >= after)
    ]
    start, size = int((request.values("at") or ["0"])[0]), 10
    entries = [_historic(v, base) for v in found[::-1][start : start + size]]
    links = []
    if start + size < len(found):
        rest = [(name, value) for name, value in request.query if name != "at"]
        links = [
            {
                "relation": "next",
                "url": f"{base}{request.path.removeprefix('/fhir')}?{urlencode([*rest, ('at', str(start + size))])}",
            }
        ]
    return fhir(_bundle("history", links, entries, now))


def _bundle(type: str, links: list[Any], entries: list[Any], now: dt.datetime) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": type,
        "meta": {"lastUpdated": instant(now)},
        "link": links,
        "entry": entries,
    }


def _historic(version: Version, base: str) -> dict[str, Any]:
    method = "DELETE" if version.content is None else "POST" if version.number == 1 else "PUT"
    entry: dict[str, Any] = {
        "fullUrl": f"{base}/{version.type}/{version.id}",
        "request": {"method": method, "url": f"{version.type}/{version.id}"},
        "response": {"status": "204" if method == "DELETE" else "200", "lastModified": instant(version.at)},
    }
    return entry if version.content is None else {**entry, "resource": version.content}


def _included(
    hospital: Hospital, query: dict[str, list[str]], base: str, found: list[Version], now: dt.datetime
) -> list[dict[str, Any]]:
    names = {value.split(":")[1] for value in query.get("_include", [])}
    wanted = {str((v.content or {}).get(name, {}).get("reference")) for v in found for name in names}
    there = [v for v in hospital.current(now) if f"{v.type}/{v.id}" in wanted]
    return [
        {"fullUrl": f"{base}/{v.type}/{v.id}", "resource": v.content, "search": {"mode": "include"}}
        for v in there
    ]


def _passes(version: Version, query: dict[str, list[str]]) -> bool:
    ids = {id for value in query.get("_id", []) for id in value.split(",")}
    if ids and version.id not in ids:
        return False
    return has_code(version, query) and all(_in(version, value) for value in query.get("_lastUpdated", []))


def _in(version: Version, value: str) -> bool:
    moment = dt.datetime.fromisoformat(value[2:])
    # A bound without a fraction of a second means the whole of the second.
    end = moment if "." in value else moment + dt.timedelta(seconds=1, microseconds=-1)
    at = version.at.replace(microsecond=version.at.microsecond // 1000 * 1000)
    return {"ge": at >= moment, "gt": at > end, "le": at <= end, "lt": at < moment}[value[:2]]
