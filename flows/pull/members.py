"""Members of a Group: whose older records an export `_since` would miss, because they joined after it.

Bulk Data leaves it to servers whether they give all records of a patient who is new to the group. So the members
are read before each export of a group; when there is one that the last complete pull didn't know, everything is
asked for once more.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from flows.config import Site
from flows.pull.failures import FailedTry, Refused, SiteFailure
from flows.pull.http import Ask, Connection
from flows.pull.site_pull import SitePull

GROUP = "Group"


def read_members(pull: SitePull, connection: Connection) -> list[str] | None:
    """The Group's active members now, as short hashes in order; None where it can't be read, with a note
    where it never can.
    """
    site = pull.site
    ask = Ask(f"{site.url}/{GROUP}/{quote(site.group or '', safe='')}", "group")
    try:
        # Once: a pull goes on without it, and the next one asks again.
        members = active_members(connection.document(ask).content)
    except FailedTry:
        return None
    except SiteFailure as failure:
        if failure.step != "token":
            return None
        members = []
    except Refused:
        members = []
    if not members:
        pull.note(
            "the server doesn't tell the group's members: older records of those who join it later may be "
            "missing; pull with --full now and then"
        )
        return None
    return sorted({hashlib.sha256(one.encode()).hexdigest()[:16] for one in members})


def has_new_member(known: list[str] | None, now: list[str] | None) -> bool:
    """Whether somebody joined between two readings; not known where one of them is missing."""
    return known is not None and now is not None and not set(now) <= set(known)


def is_of_group(site: Site) -> bool:
    """Whether the site's exports are those of a group."""
    return site.source == "bulk" and site.level == "group"


def active_members(group: dict[str, Any]) -> list[str]:
    """The references to the members of a Group who are in it now."""
    listed = group.get("member") if group.get("resourceType") == GROUP else None
    return [
        reference
        for member in (listed if isinstance(listed, list) else [])
        if isinstance(member, dict) and member.get("inactive") is not True
        if isinstance(entity := member.get("entity"), dict)
        if isinstance(reference := entity.get("reference"), str)
    ]
