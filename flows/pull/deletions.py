"""Deletions that are only told by a server's history: read after each pull, from where the last one ended.

Each type's own history is asked for. That of the whole server tells of every type, among them the files that
exports wrote: gigabytes that nobody asked for. It is read where a type's is not to be had.
"""

from __future__ import annotations

from flows.pull.failures import Refused, refusal
from flows.pull.http import Connection
from flows.pull.pages import Pages, land_pages, new_paging
from flows.pull.site_pull import SitePull
from flows.pull.urls import with_query

EVERYTHING = ""  # the history of all types, in the state of a site
NOT_OFFERED = {400, 403, 404, 405, 410, 422, 501}  # what servers answer that have no such history


def pull_history(pull: SitePull, connection: Connection, types: list[str], since: str) -> None:
    """Lands the history since an instant of the server's: type by type, or of all types where the server refuses
    that of one. Raises SiteFailure where neither gives anything.
    """
    running = pull.state.running or {}
    histories = running.setdefault("histories", {name: new_paging() for name in types})
    for name in [name for name in types if name in histories]:
        if not _is_landed(pull, connection, name, since):
            # A run that goes on from here knows it by that.
            del histories[name]
            pull.state.save()
    refused_types = [name for name in types if name not in histories]
    if not refused_types:
        return
    is_needed = len(refused_types) == len(types)
    histories.setdefault(EVERYTHING, new_paging())
    if not _is_landed(pull, connection, EVERYTHING, since, is_needed=is_needed):
        del histories[EVERYTHING]
        pull.note(f"the server has no history of {', '.join(refused_types)}: deletions of these aren't seen")


def history_bound(pull: SitePull) -> str | None:
    """From when the next history is to be read: when the server was first asked for this one."""
    bounds = [paging["bound"] for paging in (pull.state.running or {}).get("histories", {}).values()]
    return None if None in bounds else min(bounds, default=None)


def _is_landed(
    pull: SitePull, connection: Connection, name: str, since: str, *, is_needed: bool = False
) -> bool:
    """Whether the history of a type, or of all, was read; False where the server doesn't offer it."""
    base = f"{pull.site.url}/{name}" if name else f"{pull.site.url}"
    pages = Pages(with_query(f"{base}/_history", [("_since", since)]), "history", "history", name or None)
    try:
        land_pages(pull, connection, pages, (pull.state.running or {})["histories"][name])
    except Refused as refused:
        if is_needed or refused.status not in NOT_OFFERED:
            raise refusal("history", refused) from refused
        return False
    return True
