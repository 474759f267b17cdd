"""What a server says that it can do, against what a pull needs of it; where it can be tried, the try decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from flows.config import Level, Site
from flows.doctor.asking import Answer, ask
from flows.doctor.capability import Statement, parameters_of, read_statement
from flows.doctor.lines import Line, counted, failed, listed, ok, warn
from flows.doctor.lines import fail as failing
from flows.doctor.samples import Sample
from flows.pull.bulk import kick_off_url
from flows.pull.deletions import NOT_OFFERED
from flows.pull.failures import FailedTry, Refused, SiteFailure
from flows.pull.http import Ask, Connection
from flows.pull.members import active_members
from flows.pull.urls import is_web, joined, origin_of, told, with_query

FUTURE = "2999-01-01T00:00:00Z"


@dataclass(frozen=True)
class Met:
    """A server that answered: what it says of itself (None: nothing), and by how much our clock is ahead."""

    statement: Statement | None
    status: int
    ahead: float | None = None


def meet(connection: Connection, *, has_credentials: bool = False) -> Met:
    """Asks the server what it is. Raises SiteFailure where it can't be reached, or sends something else."""
    request = Ask(f"{connection.url}/metadata", "reachable", has_credentials=has_credentials)
    try:
        answer = ask(connection, request)
    except Refused as refused:
        return Met(None, refused.status)
    return Met(read_statement(answer.document.content), answer.document.status, answer.ahead)


def capable_line(site: Site, met: Met) -> Line:
    """The line of the CapabilityStatement and its FHIR version."""
    place = f"{told(site.url or '')}/metadata"
    statement = met.statement
    if statement is None:
        found = f"{place} is no CapabilityStatement (answered {met.status})"
        return warn("capable", found, "see whether `url` is the FHIR server's base; what follows was tried")
    written = statement.fhir_version
    if written is None:
        return warn(
            "capable", "the server doesn't tell its FHIR version", "ask the hospital for R4, R4B or R5"
        )
    if statement.release is None:
        return failing(
            "capable", f"FHIR {written[:20]} isn't read", "ask the hospital for its R4, R4B or R5 address"
        )
    return ok("capable", f"FHIR {written[:20]} ({statement.release})")


def types_line(site: Site, statement: Statement, types: Sequence[str], samples: Sequence[Sample]) -> Line:
    """The line of the types that the statement lists, or, for searches, lists with search. What came is there."""
    shown = {sample.resource_type for sample in samples if sample.is_there}
    is_listed = statement.has_search if site.source == "rest" else statement.types.__contains__
    lacking = [name for name in types if not is_listed(name)]
    how = " with search" if site.source == "rest" else ""
    if not lacking:
        return ok("types", f"all {len(types)} are in its CapabilityStatement{how}")
    found = f"its CapabilityStatement lacks {listed(lacking)}{how}"
    if set(lacking) <= shown:
        return warn(
            "types", f"{found}, but a search works", "nothing has to be done; the hospital may correct it"
        )
    return warn("types", found, "name the `types` that the hospital has, or ask it")


def export_line(connection: Connection, statement: Statement) -> Line:
    """The line of the export. It isn't tried: that would start one."""
    site = connection.site
    exports = statement.exports()
    kick_off = told(kick_off_url(site, [], None)).partition("?")[0]
    if site.level in exports:
        return _definition_line(connection, kick_off, exports[site.level])
    if exports:
        others = " or ".join(f'"{level}"' for level in exports)
        return failing(
            "export",
            f"the CapabilityStatement names no export of a {site.level}, but of {others}",
            f"write level = {others}{_group_hint(exports)}, or ask the hospital",
        )
    return warn(
        "export",
        "the CapabilityStatement names none, and a try would start one",
        f"ask the hospital whether {kick_off} is offered",
    )


def _group_hint(exports: dict[Level, str]) -> str:
    return " with the id of the `group`" if "group" in exports else ""


def _definition_line(connection: Connection, kick_off: str, definition: str) -> Line:
    """What the server's own OperationDefinition says of the parameters; others are the standard's."""
    named = _own_parameters(connection, definition)
    needed = ["_type", *(["_since"] if connection.site.since else [])]
    if connection.site.type_filter:
        needed.append("_typeFilter")
    lacking = [name for name in needed if named is not None and name not in named]
    if "_since" in lacking:
        return warn(
            "export",
            f"{kick_off} is offered, but its definition knows no {listed(lacking)}",
            "if the second pull brings everything again, set `since = false`",
        )
    if lacking:
        return warn(
            "export",
            f"{kick_off} is offered, but its definition knows no {listed(lacking)}",
            "ask the hospital",
        )
    knows = f", with {listed(needed)}" if named is not None else ""
    return ok("export", f"{kick_off} is offered{knows}")


def _own_parameters(connection: Connection, definition: str) -> set[str] | None:
    url = joined(f"{connection.url}/", definition) if definition else None
    if url is None or not is_web(url) or origin_of(url) != origin_of(connection.url):
        return None
    try:
        content = connection.document(Ask(url, "export")).content
    except (Refused, FailedTry, SiteFailure):
        # The definition is more than most servers have; without it nothing is known, as with a foreign one.
        return None
    return parameters_of(content) if content.get("resourceType") == "OperationDefinition" else None


def increment_line(connection: Connection, statement: Statement | None, samples: Sequence[Sample]) -> Line:
    """The line of what makes later pulls small. A search for what is newer than all time must bring nothing."""
    site = connection.site
    there = [one for one in samples if one.is_there and one.entries]
    if not site.since:
        return _without_since(site, statement, there)
    if site.source == "bulk":
        return ok("increments", "by `_since`: exports bring what is new since the last one")
    if not there:
        return warn(
            "increments", "`_lastUpdated` can't be tried: nothing was found", "run `cove doctor` again"
        )
    name = there[0].resource_type
    url = with_query(f"{site.url}/{name}", [("_lastUpdated", f"ge{FUTURE}"), ("_count", "1")])
    try:
        answer = ask(connection, Ask(url, "increments"))
    except Refused as refused:
        return failing(
            "increments",
            f"the server refuses `_lastUpdated` ({refused.status})",
            "set `since = false` of the site",
        )
    except SiteFailure as failure:
        return failed("increments", failure)
    if _brings(answer, name):
        return warn(
            "increments",
            "the server ignores `_lastUpdated`: every pull brings everything",
            "set `since = false` of the site, so that nobody counts on it",
        )
    return ok("increments", "by `_lastUpdated`: searches bring what is new since the last one")


def _without_since(site: Site, statement: Statement | None, there: Sequence[Sample]) -> Line:
    found = "`since = false`: every pull brings everything"
    known = statement is not None and any(
        statement.has_parameter(one.resource_type, "_lastUpdated") for one in there
    )
    if known and site.source == "rest":
        return warn("increments", found, "the server names `_lastUpdated`: take `since` out, and try again")
    return ok("increments", found)


def _brings(answer: Answer, name: str) -> bool:
    entries = answer.document.content.get("entry")
    found = (
        [one.get("resource") for one in entries or () if isinstance(one, dict)]
        if isinstance(entries, list)
        else []
    )
    return any(isinstance(one, dict) and one.get("resourceType") == name for one in found)


def group_line(connection: Connection, group: str) -> Line:
    """The line of the Group whose patients are exported; `connection` may read Groups.

    A pull reads its members, to know who joined.
    """
    later = "older records of those who join later may be missing: run `cove pull --full` now and then"
    try:
        answer = ask(connection, Ask(f"{connection.url}/Group/{quote(group, safe='')}", "group"))
    except Refused as refused:
        if refused.is_gone:
            found = f"the server has no such Group ({refused.status})"
            return failing("group", found, "correct `group`, or ask the hospital for its id")
        return warn(
            "group", f"can't be looked at ({refused.status}), so that its id isn't known to be right", later
        )
    except SiteFailure as failure:
        if failure.step == "token":
            return warn("group", "no token is given for it, so that its id isn't known to be right", later)
        return failed("group", failure)
    if answer.document.content.get("resourceType") != "Group":
        return warn("group", "the server answered with something else", "ask the hospital for the Group's id")
    members = active_members(answer.document.content)
    if not members:
        return warn("group", "is there, but the server doesn't tell its members", later)
    return ok("group", f"is there, with {counted(len(members), 'member')}")


def deletions_line(connection: Connection, statement: Statement | None, types: Sequence[str]) -> Line:
    """The line that says how deletions at the hospital become known, or that they don't."""
    site = connection.site
    if site.deletions == "history":
        return _history_line(connection, types)
    if site.deletions == "manifest":
        return ok("deletions", "as the exports' `deleted` tell; a server that never sends it tells of none")
    if site.deletions == "snapshot":
        when = "each pull" if not site.since else "each `cove pull --full`"
        return ok("deletions", f"what {when} lacks is deleted")
    other = (
        'deletions = "history"'
        if statement is not None and statement.has_history()
        else 'deletions = "snapshot" and run `cove pull --full` now and then'
    )
    found = 'deletions aren\'t seen (`deletions = "none"`): what the hospital deletes goes on counting'
    return warn("deletions", found, f"set {other}")


def _history_line(connection: Connection, types: Sequence[str]) -> Line:
    """Tries the history as the pull reads it: of each type, else of the system."""
    refused: dict[str, int] = {}
    for name in types:
        answer = _refused_history(connection, f"/{name}")
        if isinstance(answer, Line):
            return answer
        if answer is not None:
            refused[name] = answer
    if not refused:
        return ok("deletions", "by the server's histories of the types")
    status = next((one for one in refused.values() if one not in NOT_OFFERED), None)
    if status is not None:
        return failing(
            "deletions", f"the server refuses its history ({status})", "ask the hospital for access"
        )
    of_all = _refused_history(connection, "")
    if isinstance(of_all, Line):
        return of_all
    if of_all is None:
        return ok("deletions", "by the server's history of all types")
    found = f"the server has no history of {listed(list(refused))} ({of_all})"
    remedy = 'set deletions = "snapshot", or "none"'
    if len(refused) < len(types) and of_all in NOT_OFFERED:
        return warn("deletions", f"{found}: deletions of these aren't seen", "ask the hospital for it")
    return failing("deletions", found, remedy)


def _refused_history(connection: Connection, place: str) -> int | Line | None:
    """None where the history of the place can be read, else the status, or the line of what failed."""
    url = with_query(f"{connection.url}{place}/_history", [("_since", FUTURE), ("_count", "1")])
    try:
        ask(connection, Ask(url, "history"))
    except Refused as refused:
        return refused.status
    except SiteFailure as failure:
        return failed("deletions", failure)
    return None


def capability_lines(
    connection: Connection,
    of_groups: Connection,
    met: Met,
    types: Sequence[str],
    samples: Sequence[Sample],
) -> Iterator[Line]:
    """All lines about what the server can do, in the order in which a pull needs them.

    `of_groups` is the connection with the credentials that a pull reads a Group by.
    """
    site = connection.site
    yield capable_line(site, met)
    if met.statement is not None:
        yield types_line(site, met.statement, types, samples)
        if site.source == "bulk":
            yield export_line(connection, met.statement)
    elif site.source == "bulk":
        yield warn(
            "export", "nothing tells whether it is offered, and a try would start one", "ask the hospital"
        )
    if site.group is not None:
        yield group_line(of_groups, site.group)
    yield increment_line(connection, met.statement, samples)
    yield deletions_line(connection, met.statement, types)
