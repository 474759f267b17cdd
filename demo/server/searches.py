"""REST: search by type with pages and `_lastUpdated`, and the history of a type or of the whole server."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from demo.server.holdings import Holding, Version, instant
from demo.server.messages import Answer, Asked, as_json, refusal

PAGE = 200


def search(holding: Holding, base: str, kind: str, asked: Asked, now: datetime) -> Answer:
    """A page of a type's resources. `base` is the address that the hospital is known by."""
    ids = asked.values("_id")
    bounds = asked.values("_lastUpdated")
    if any(not bound.startswith("ge") for bound in bounds):
        return refusal(400, "`_lastUpdated` is taken with `ge` only")
    found = [
        version
        for version in holding.current(now)
        if version.type == kind
        and (not ids or version.id in ids)
        and all(version.at >= datetime.fromisoformat(bound[2:]) for bound in bounds)
    ]
    return _page("searchset", [_match(version, base) for version in found], asked)


def history(holding: Holding, base: str, kind: str | None, asked: Asked, now: datetime) -> Answer:
    """A page of the versions (of a type, else of all) since an instant, the newest first, deletions among them."""
    written = asked.value("_since")
    since = datetime.fromisoformat(written) if written else None
    found = [
        version
        for version in holding.versions
        if kind in (None, version.type) and version.at <= now and (since is None or version.at >= since)
    ]
    found.sort(key=lambda version: version.at, reverse=True)
    return _page("history", [_change(version, base) for version in found], asked)


def _match(version: Version, base: str) -> dict[str, Any]:
    return {**_named(version, base), "resource": version.content, "search": {"mode": "match"}}


def _change(version: Version, base: str) -> dict[str, Any]:
    is_gone = version.content is None
    method = "DELETE" if is_gone else "POST" if version.number == 1 else "PUT"
    return {
        **_named(version, base),
        **({} if is_gone else {"resource": version.content}),
        "request": {"method": method, "url": f"{version.type}/{version.id}"},
        "response": {"status": "204" if is_gone else "200", "lastModified": instant(version.at)},
    }


def _named(version: Version, base: str) -> dict[str, Any]:
    return {"fullUrl": f"{base}/{version.type}/{version.id}"}


def _page(kind: str, entries: list[dict[str, Any]], asked: Asked) -> Answer:
    """A Bundle of one page. Its link is relative, as FHIR allows: no page names the port of a run."""
    number = int(asked.value("page") or 1)
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind, "total": len(entries)}
    if number * PAGE < len(entries):
        asked_for = [
            (name, value) for name in ("_lastUpdated", "_since", "_id") if (value := _all(asked, name))
        ]
        query = urlencode([*asked_for, ("page", number + 1)])
        bundle["link"] = [{"relation": "next", "url": f"?{query}"}]
    return as_json({**bundle, "entry": entries[(number - 1) * PAGE : number * PAGE]})


def _all(asked: Asked, name: str) -> str:
    return ",".join(asked.values(name))
