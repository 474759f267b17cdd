"""One site's pull, from what its state says to the next state: begun or gone on with, completed or failed."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flows.config import Site
from flows.errors import UserError
from flows.home import Home
from flows.loading_step import bundled_views
from flows.pull.auth import authorizer_for
from flows.pull.bulk import delete_export, new_exports, pull_exports
from flows.pull.clock import Clock
from flows.pull.deletions import history_bound, pull_history
from flows.pull.downloads import NOTE
from flows.pull.drop import pull_drop
from flows.pull.failures import GOES_ON, SiteFailure
from flows.pull.http import Connection
from flows.pull.members import GROUP, has_new_member, is_of_group, read_members
from flows.pull.missing import MEDICATION, fetch_missing
from flows.pull.pages import new_paging
from flows.pull.rest import pull_searches
from flows.pull.site_pull import SitePull
from flows.pull.state import UNFINISHED, SiteState


@dataclass(frozen=True)
class SiteResult:
    """What a person is told of a site's pull; `failure` is one line, None where it is complete."""

    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    failure: str | None = None


def pull_site(
    site: Site,
    home: Home,
    *,
    full: bool,
    clock: Clock,
    started_at: dt.datetime,
    say: Callable[[str], None],
) -> SiteResult:
    """Pulls one site: everything where `full`, else what is new. Never raises what is the site's fault."""
    try:
        (home.landing / site.name).mkdir(mode=0o700, exist_ok=True)
        pull = SitePull(site, home, clock, SiteState(home, site.name), started_at, say)
    except OSError as error:
        return SiteResult(failure=_disk_line(site, home, error))
    failure = _carried_out(pull, full)
    if failure is None:
        pull.note(f"{len(pull.files)} files, {pull.new_files} new")
    return SiteResult(tuple(pull.notes), tuple(pull.problems), failure)


def _carried_out(pull: SitePull, full: bool) -> str | None:
    """Pulls; gives the line of what went wrong, after it is recorded."""
    site = pull.site
    try:
        _prepare(pull, full)
        _pull(pull)
        _complete(pull)
    except SiteFailure as failure:
        return _recorded(pull, failure.step, f"{site.name}: {failure}")
    except UserError as error:
        return _recorded(pull, "credentials", f"{site.name}: credentials: {error}")
    except OSError as error:
        return _recorded(pull, "landing", _disk_line(site, pull.home, error))
    return None


def _recorded(pull: SitePull, step: str, line: str) -> str:
    try:
        if pull.state.running is not None:
            pull.state.record(step, instant(pull.clock.now()))
    except OSError:
        # The disk that is full is told of by the line already, or by the next run.
        return line
    return line


def _disk_line(site: Site, home: Home, error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"{site.name}: landing: {home.root} can't be written ({reason}); free space there; {GOES_ON}"


def _prepare(pull: SitePull, full: bool) -> None:
    """Takes up the pull under way, or begins one where there is none, or it isn't what is asked for now."""
    running = pull.state.running
    goes_on = (
        running is not None
        and running["asked"] == _asked(pull.site)
        and (running["is_full"] or not full)
        and pull.site.source != "files"
    )
    for part in pull.folder.glob("*.part"):
        # A download of a run that was killed is of use where the server's validator was noted.
        noted = part.name.endswith(NOTE) or part.with_name(part.name.removesuffix(".part") + NOTE).exists()
        if not (goes_on and noted):
            part.unlink()
    if goes_on:
        pull.say(f"{pull.site.name}: going on with the pull of {running and running['started_at']}")
        pull.state.record(UNFINISHED, instant(pull.clock.now()))
        return
    if running is not None and running.get("exports"):
        # Exports that nobody waits for any more.
        for export in running["exports"]:
            delete_export(pull, connection_of(pull), export)
    pull.state.begin(_new_pull(pull, full))
    # What a run that is killed leaves to be known of it.
    pull.state.record(UNFINISHED, instant(pull.clock.now()))


def _new_pull(pull: SitePull, full: bool) -> dict[str, Any]:
    site = pull.site
    members = _read_group(pull)
    joined = has_new_member(pull.state.content.get("members", {}).get(_asked_of_group(site)), members)
    if joined and not full:
        pull.note("the group has new members: everything is pulled once, for their older records")
    since = {} if site.source == "files" else _since(pull, full or joined)
    running: dict[str, Any] = {
        "id": f"{pull.landed_at.astimezone(dt.UTC):%Y%m%dT%H%M%S%f}",
        "site": site.name,
        "source": site.source,
        "started_at": instant(pull.landed_at),
        "asked": _asked(site),
        "types": list(since),
        "since": since,
        "is_full": site.source != "files" and not any(since.values()),
        "deletions": site.deletions,
    }
    if site.source == "bulk":
        running["exports"] = new_exports(since)
        running["members"] = members
    elif site.source == "rest":
        running["searches"] = {name: new_paging() for name in since}
    return running


def _read_group(pull: SitePull) -> list[str] | None:
    """The group's members before the export, so that who joins during it is new to the next pull."""
    if not is_of_group(pull.site) or not pull.site.since:
        return None
    try:
        return read_members(pull, connection_of(pull, (GROUP,)))
    except SiteFailure:
        # A site without a connection fails where it is recorded.
        return None


def _asked_of_group(site: Site) -> str:
    return _digest([site.url, site.group])


def _since(pull: SitePull, full: bool) -> dict[str, str | None]:
    """Each type's lower bound: the server's time of the last complete pull of the same, None: from the start."""
    known = pull.state.content["since"]

    def bound(name: str) -> str | None:
        last = known.get(name)
        is_same = last is not None and last["asked"] == _asked_of_type(pull.site, name)
        return last["instant"] if is_same and pull.site.since and not full else None

    return {name: bound(name) for name in types_of(pull.site)}


def types_of(site: Site) -> tuple[str, ...]:
    """The types to pull: the site's, else every type that a view takes."""
    return tuple(dict.fromkeys(site.types or sorted(view.resource for view in bundled_views())))


def _asked(site: Site) -> str:
    return _digest([_asked_of_type(site, name) for name in types_of(site)])


def _asked_of_type(site: Site, name: str) -> str:
    """What a type's bound belongs to: another server, group or filter has others to give."""
    filters = [one for one in site.type_filter if one.partition("?")[0] == name]
    included = [one for one in site.include if one.partition(":")[0] == name]
    return _digest([site.source, site.url, site.level, site.group, name, filters, included])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def connection_of(pull: SitePull, types: Sequence[str] = ()) -> Connection:
    """A connection with the site's credentials, for the types."""
    if pull.connection is None:
        pull.connection = Connection(
            pull.site, pull.clock, pull.politeness, tell=lambda text: pull.say(f"{pull.site.name}: {text}")
        )
    plain = pull.connection
    return plain.with_authorizer(authorizer_for(pull.site, plain, types or types_of(pull.site)))


def _pull(pull: SitePull) -> None:
    if pull.site.source == "files":
        pull_drop(pull)
        return
    running = pull.state.running or {}
    connection = connection_of(pull)
    if "bounds" not in running:
        if pull.site.source == "bulk":
            bounds = pull_exports(pull, connection, running["exports"])
        else:
            bounds = pull_searches(pull, connection, running["searches"], running["since"])
        pull.state.change(running, bounds=bounds)
    types = types_of(pull.site)
    medications = connection if MEDICATION in types else connection_of(pull, (*types, MEDICATION))
    if not running.get("has_medications"):
        fetch_missing(pull, medications, running["is_full"])
        pull.state.change(running, has_medications=True)
    if pull.site.deletions == "history":
        _read_history(pull, connection, list(types))


def _read_history(pull: SitePull, connection: Connection, types: list[str]) -> None:
    """From the last history on; the first one from this pull on, before which nothing was here to be deleted."""
    running = pull.state.running or {}
    last = pull.state.content.get("history")
    bounds = [bound for bound in running["bounds"].values() if bound]
    if last is not None and last["url"] == pull.site.url:
        since = last["instant"]
    elif bounds:
        since = min(bounds, key=_instant_of)
    else:
        raise SiteFailure("history", "the server tells no time to read it from", "use other `deletions`")
    pull_history(pull, connection, types, since)


def _instant_of(written: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(written)
    except ValueError:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found


def _complete(pull: SitePull) -> None:
    """Notes that the pull is complete, and from when the next one begins: all of it at once."""
    state, at = pull.state, instant(pull.clock.now())
    running = state.running or {}
    pull.files = state.files()
    state.record(None, at)
    content = state.content
    for name, bound in running.get("bounds", {}).items():
        if bound:
            content["since"][name] = {"instant": bound, "asked": _asked_of_type(pull.site, name)}
        else:
            content["since"].pop(name, None)
    if "bounds" in running and pull.site.since and not all(running["bounds"].values()):
        pull.note("the server doesn't tell its time: the next pull brings everything again")
    if "histories" in running:
        # The server's clock by the history, else the time that the pull itself began from.
        bound = history_bound(pull) or next(iter(filter(None, running["bounds"].values())), None)
        content["history"] = {"instant": bound, "url": pull.site.url} if bound else None
    if running.get("members") is not None:
        content["members"] = {_asked_of_group(pull.site): running["members"]}
    content["last_complete"] = at
    state.end()
    for part in pull.folder.glob("*.part"):
        part.unlink()


def instant(moment: dt.datetime) -> str:
    """An instant as FHIR writes it."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
