"""Deletions that are only told by a server's history: read after each pull, from where the last one ended."""

from __future__ import annotations

from flows.pull.failures import Refused, refusal
from flows.pull.http import Connection
from flows.pull.pages import Pages, land_pages, new_paging
from flows.pull.site_pull import SitePull
from flows.pull.urls import with_query

EVERYTHING = ""  # the history of all types, in the state of a site
NOT_OFFERED = {400, 403, 404, 405, 501}  # what servers answer that have a history by type only


def pull_history(pull: SitePull, connection: Connection, types: list[str], since: str) -> None:
    """Lands the history since an instant of the server's: of all types, or type by type where the server has
    that only. Raises SiteFailure.
    """
    running = pull.state.running or {}
    histories = running.setdefault("histories", {EVERYTHING: new_paging()})
    for name in list(histories):
        try:
            _land(pull, connection, name, since)
        except Refused as refused:
            if name != EVERYTHING or refused.status not in NOT_OFFERED:
                raise refusal("history", refused) from refused
            running["histories"] = histories = {one: new_paging() for one in types}
            pull.state.save()
            for one in types:
                _land_type(pull, connection, one, since)


def history_bound(pull: SitePull) -> str | None:
    """From when the next history is to be read: when the server was first asked for this one."""
    bounds = [paging["bound"] for paging in (pull.state.running or {}).get("histories", {}).values()]
    return None if None in bounds else min(bounds, default=None)


def _land_type(pull: SitePull, connection: Connection, name: str, since: str) -> None:
    try:
        _land(pull, connection, name, since)
    except Refused as refused:
        raise refusal("history", refused) from refused


def _land(pull: SitePull, connection: Connection, name: str, since: str) -> None:
    base = f"{pull.site.url}/{name}" if name else f"{pull.site.url}"
    pages = Pages(with_query(f"{base}/_history", [("_since", since)]), "history", "history", name or None)
    land_pages(pull, connection, pages, (pull.state.running or {})["histories"][name])
