# ruff: noqa: E501 - a trouble is one line, however long it is
"""Troubles before the first night: what the server does or the site says, and the line that tells of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.pulling import deeds as does
from tests.pulling import wire
from tests.pulling.hospital import FIRST_DAY, person
from tests.pulling.server import FOREVER, Deed, Server
from tests.pulling.wire import Request, Response, fhir


@dataclass(frozen=True)
class Trouble:
    """One trouble: `says` is a pattern for the whole line of `check`, which begins with its verdict."""

    name: str
    check: str
    says: str
    at: str = ""
    does: Deed | None = None
    source: str = "rest"
    auth: str = "none"
    site: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[Server], None] = lambda server: None
    times: int = FOREVER

    @property
    def id(self) -> str:
        return f"{self.source}: {self.name}"

    @property
    def code(self) -> int:
        return 3 if self.says.startswith("fail") else 0


@dataclass(frozen=True)
class Fault:
    """Where and how often a server fails."""

    at: str
    does: Deed
    times: int = FOREVER
    after: int = 0


def statement(
    *exports: str, version: str = "4.0.1", types: tuple[str, ...] = ("Patient", "Observation"), **rest: Any
) -> Deed:
    """A CapabilityStatement with exports at the levels, `Patient`, `Group` or `system`."""
    names = sorted({*types, *(name for name in exports if name != "system")})
    resources = [
        {
            "type": name,
            "interaction": [{"code": "search-type"}],
            **(
                {"operation": [{"name": "export", "definition": "http://hl7.org/x"}]}
                if name in exports
                else {}
            ),
        }
        for name in names
    ]
    system = (
        {"operation": [{"name": "export", "definition": "http://hl7.org/y"}]} if "system" in exports else {}
    )
    content = {
        "resourceType": "CapabilityStatement",
        "fhirVersion": version,
        "rest": [{"mode": "server", "resource": resources, **system, **rest}],
    }
    return lambda server, request, response: fhir(content)


def bare(content: Any) -> Deed:
    """Another document."""
    return lambda server, request, response: fhir(content)


def scope(granted: str) -> Deed:
    """A token for less than was asked."""
    return does.changed(lambda server, content: {**content, "scope": granted})


def clock(seconds: float) -> Callable[[Server], None]:
    """A hospital whose clock goes wrong; it also judges tokens by it."""

    def set_clock(server: Server) -> None:
        server.skew = dt.timedelta(seconds=seconds)

    return set_clock


def of_group(status: int = 200, members_told: int = 3) -> Callable[[Server], None]:
    """A server that has the Group, or answers otherwise."""

    def answer(request: Request) -> Response:
        members = [{"entity": {"reference": f"Patient/p{number}"}} for number in range(members_told)]
        return fhir({"resourceType": "Group", "id": "g1", "member": members}, status)

    def put(server: Server) -> None:
        server.extra["/fhir/Group/g1"] = answer

    return put


def wrong_birth_date(share: int) -> Callable[[Server], None]:
    """Patients whose `birthDate` is a number: so many of the first ten."""

    def put(server: Server) -> None:
        server.hospital.versions.clear()
        for number in range(10):
            person(server.hospital, f"p{number}", FIRST_DAY, **({"birthDate": 12} if number < share else {}))

    return put


def without_patients(server: Server) -> None:
    server.hospital.versions[:] = [one for one in server.hospital.versions if one.type != "Patient"]


def dated_with_z(server: Server) -> None:
    server.hospital.versions[:] = [one for one in server.hospital.versions if one.type == "Patient"]
    server.hospital.put("Observation", "z", FIRST_DAY, status="final", code={"text": "count"}, effectiveDateTime="2026-01-04T20:00:00Z", valueInteger=3)  # fmt: skip


def no_date(server: Server, request: Request, response: Response) -> Response:
    """An answer without its time."""
    return response.with_headers(Date="")


def page_of(resource: Any) -> Deed:
    return bare({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource}]})


def ignores_bound(server: Server, request: Request, response: Response) -> Response:
    """The first page, whatever was asked."""
    entries = [{"resource": v.content} for v in server.hospital.current(server.now()) if v.type == "Patient"]
    return fhir({"resourceType": "Bundle", "type": "searchset", "entry": entries[:1]})


SMART: dict[str, Any] = {"auth": "smart"}
BULK: dict[str, Any] = {"source": "bulk"}
QUICK: dict[str, Any] = {"site": {"timeout": {"connect": 2, "read": 0.5}}}
HISTORY: dict[str, Any] = {"site": {"deletions": "history"}}
GROUP: dict[str, Any] = {"source": "bulk", "site": {"group": "g1"}}

# fmt: off
TROUBLES = (
    # Reached, or not.
    Trouble("silence", "reachable", "fail: .*/fhir/metadata: stalled, .*; see whether the server is well", "metadata", does.sends(wire.silent), **QUICK),
    Trouble("reset", "reachable", "fail: .*the connection broke off .*; see whether the server is well", "metadata", does.sends(wire.reset_at_once)),
    Trouble("reset once", "reachable", "ok: .*", "metadata", does.sends(wire.reset_at_once), times=1),
    Trouble("500", "reachable", r"fail: .* answered 500 \(2 tries\); see whether the server is well", "metadata", does.says(500)),
    Trouble("503 for hours", "reachable", "fail: .*asks to wait 3600 seconds; run `cove doctor` again then.*", "metadata", does.says(503, Retry_After="3600")),
    Trouble("a portal", "reachable", "fail: .*a web page, not .*; see whether `url` is the FHIR server's base.*", "metadata", does.login),
    # What it says of itself.
    Trouble("no statement", "capable", r"warn: .* is no CapabilityStatement \(answered 404\); .*base.*", "metadata", does.says(404)),
    Trouble("another document", "capable", r"warn: .* is no CapabilityStatement \(answered 200\).*", "metadata", bare({"resourceType": "Patient"})),
    Trouble("STU3", "capable", "fail: FHIR 3.0.2 isn't read; ask the hospital for its R4, R4B or R5 address", "metadata", statement(version="3.0.2")),
    Trouble("R4B", "capable", r"ok: FHIR 4.3.0 \(R4B\)", "metadata", statement(version="4.3.0")),
    Trouble("R5", "capable", r"ok: FHIR 5.0.0 \(R5\)", "metadata", statement(version="5.0.0")),
    Trouble("no version", "capable", "warn: the server doesn't tell its FHIR version; .*", "metadata", bare({"resourceType": "CapabilityStatement", "rest": [{}, 3, {"resource": "x"}]})),
    Trouble("type not listed, but there", "types", "warn: its CapabilityStatement lacks Observation with search, but a search works; .*", "metadata", statement(types=("Patient",))),
    Trouble("type not listed, nor there", "Device", r"fail: the server has no such search \(404\); name `types` without it.*", "/Device", does.says(404), site={"types": ["Patient", "Device"]}),
    Trouble("statement only for those known", "capable", r"ok: FHIR 4.0.1 \(R4\)", auth="bearer", at="metadata", does=lambda s, q, r: s.authorization.refuses(q) or r),
    # Exports.
    Trouble("no export named", "export", r"warn: .*names none.*; ask the hospital whether .*/fhir/Patient/\$export is offered", **BULK),
    Trouble("export of another level", "export", 'fail: .*no export of a patient, but of "group"; write level = "group" with the id of the `group`.*', "metadata", statement("Group"), **BULK),
    Trouble("export named", "export", r"ok: .*/fhir/Patient/\$export is offered", "metadata", statement("Patient"), **BULK),
    Trouble("export of the system named", "export", r"ok: .*/fhir/\$export is offered", "metadata", statement("system"), source="bulk", site={"level": "system"}),
    Trouble("export without a statement", "export", "warn: nothing tells whether it is offered.*; ask the hospital", "metadata", does.says(404), **BULK),
    Trouble("group there", "group", "ok: is there, with 3 members", before=of_group(), **GROUP),
    Trouble("group without members", "group", "warn: is there, but the server doesn't tell its members; older records of those who join later .*--full.*", before=of_group(members_told=0), **GROUP),
    Trouble("group not there", "group", r"fail: the server has no such Group \(404\); correct `group`.*", before=of_group(404), **GROUP),
    Trouble("group not to be read", "group", r"warn: can't be looked at \(403\), so that its id isn't known to be right; older records .*", before=of_group(403), **GROUP),
    Trouble("no search at all", "samples", r"warn: the server has no search \(it answered 404\); .*", "search", does.says(404), source="bulk", site={"types": ["Patient", "Observation", "Condition"]}),
    Trouble("no search of one type", "Observation", r"warn: can't be looked at without an export \(the search was answered 403\); .*", "/Observation", does.says(403), **BULK),
    # Credentials.
    Trouble("token 401", "authorised", "fail: token: .* answered 401: the credentials were refused; check `client_id`, `private_key` and `scope` with the hospital", "token", does.says(401), **SMART),
    Trouble("token 500", "authorised", "fail: token: .* answered 500 .*; see whether the server is well", "token", does.says(500), **SMART),
    Trouble("no discovery", "authorised", "fail: discovery: .* answered 404; check `url`, or give `token_url` of the site", "discovery", does.says(404), **SMART),
    Trouble("discovery without an endpoint", "authorised", "fail: discovery: the server names no token endpoint; give `token_url` of the site", "discovery", bare({}), **SMART),
    Trouble("less granted, and refused", "scopes", "fail: the server granted no read access to Observation; ask the hospital to grant it.*", "token", scope("system/Patient.rs"), source="bulk", auth="smart", before=lambda s: s.faults.append(Fault("/Observation", does.says(403)))),
    Trouble("less granted, and given", "scopes", "warn: the server granted no read access to Observation; .*", "token", scope("system/Patient.read"), **SMART),
    Trouble("only reading by id granted", "scopes", "warn: .*no read access to Patient, Observation; .*", "token", scope("system/*.r"), **SMART),
    Trouble("everything granted", "scopes", "ok: all 2 types are granted", "token", scope("openid system/*.cruds"), **SMART),
    Trouble("nothing said of what is granted", "scopes", "ok: all 2 types are granted", "token", scope(""), **SMART),
    Trouble("refused although there is a token", "authorised", r'fail: the credentials are refused \(401\), auth = "smart"; check .*', "search", does.says(401), **SMART),
    Trouble("bearer refused", "authorised", r'fail: the credentials are refused \(401\), auth = "bearer"; check `token` with the hospital', "search", does.says(401), auth="bearer"),
    Trouble("password refused", "authorised", r'fail: the credentials are refused \(401\), auth = "basic"; check `user` and `password` with the hospital', "search", does.says(401), auth="basic"),
    Trouble("bearer allows nothing", "authorised", r"fail: the server knows the credentials, and allows nothing .*\(403\); ask the hospital for read access.*", "search", does.says(403), auth="bearer"),
    Trouble("bearer allows one type", "Observation", r"fail: not allowed \(403\); ask the hospital for access, or name `types` without it", "/Observation", does.says(403), auth="bearer"),
    Trouble("bearer allows one type, is accepted", "authorised", 'ok: the credentials are accepted, auth = "bearer"', auth="bearer"),
    Trouble("credentials are wanted", "authorised", r"fail: the server wants credentials \(401\); set `auth`.*", "search", does.says(401)),
    Trouble("nothing tells", "authorised", 'warn: nothing shows whether auth = "bearer" is accepted; the first pull will tell', "search", does.says(404), source="bulk", auth="bearer"),
    # Clocks.
    Trouble("no time told", "clock", "warn: the server doesn't tell its time; .*", "metadata", no_date),
    Trouble("behind", "clock", r"warn: this machine's clock is (99|100|101) seconds behind the server's; set this machine's clock \(NTP\).*", before=clock(100)),
    Trouble("ahead", "clock", "warn: this machine's clock is (99|100|101) seconds ahead of the server's; .*", before=clock(-100)),
    Trouble("ahead, with tokens", "clock", "warn: .* seconds ahead .*; with more than 60 no token is given; .*", before=clock(-100), **SMART),
    Trouble("a token ends too late", "clock", "fail: .* ahead of the server's, so that a token is refused; set this machine's clock.*", "token", does.says(400), before=clock(-100), **SMART),
    Trouble("a token ends too late, says its line", "authorised", "fail: token: .*; set the clock first, see `clock`; then check `client_id`.*", "token", does.says(400), before=clock(-100), **SMART),
    Trouble("a few seconds", "clock", "ok: agrees with the server's", before=clock(20)),
    # What makes later pulls small, and deletions.
    Trouble("_lastUpdated works", "increments", "ok: by `_lastUpdated`.*"),
    Trouble("_lastUpdated refused", "increments", r"fail: the server refuses `_lastUpdated` \(400\); set `since = false` of the site", "/Patient?_lastUpdated", does.says(400)),
    Trouble("_lastUpdated ignored", "increments", "warn: the server ignores `_lastUpdated`: every pull brings everything; .*", "/Patient?_lastUpdated", ignores_bound),
    Trouble("since = false", "increments", "ok: `since = false`: every pull brings everything", site={"since": False}),
    Trouble("since = false needlessly", "increments", "warn: `since = false`.*; the server names `_lastUpdated`: take `since` out, and try again", "metadata", statement(searchParam=[{"name": "_lastUpdated"}]), site={"since": False}),
    Trouble("deletions unseen", "deletions", 'warn: deletions aren\'t seen .*"none".*; set deletions = "snapshot".*'),
    Trouble("deletions unseen, though there is a history", "deletions", 'warn: deletions aren\'t seen .*; set deletions = "history"', "metadata", statement(interaction=[{"code": "history-system"}])),
    Trouble("history", "deletions", "ok: by the server's histories of the types", **HISTORY),
    Trouble("history of all types only", "deletions", "ok: by the server's history of all types", "/Patient/_history", does.says(404), **HISTORY),
    Trouble("history of one type only", "deletions", r"warn: the server has no history of Observation \(404\): deletions of these aren't seen; .*", "/fhir/_history", does.says(404), before=lambda s: s.faults.append(Fault("/Observation/_history", does.says(404))), **HISTORY),
    Trouble("history not allowed", "deletions", r"fail: the server refuses its history \(401\); ask the hospital for access", "history", does.says(401), **HISTORY),
    Trouble("no history", "deletions", r'fail: the server has no history of Patient, Observation \(405\); set deletions = "snapshot", or "none"', "history", does.says(405), **HISTORY),
    Trouble("history fails", "deletions", "fail: history: .* answered 500 .*", "history", does.says(500), **HISTORY),
    Trouble("snapshot", "deletions", "ok: what each `cove pull --full` lacks is deleted", site={"deletions": "snapshot"}),
    # One resource of each type.
    Trouble("mapped", "Patient", "ok: mapped"),
    Trouble("mapped by an export's search", "Patient", "ok: mapped", **BULK),
    Trouble("an outcome beside it", "Patient", "ok: mapped", before=lambda s: setattr(s, "searching", s.searching.__class__(has_outcome_entry=True))),
    Trouble("all of a wrong shape", "Patient", r"fail: 10 of 10 resources looked at quarantined by rule type:Patient.birthDate; docs/files.md .*", before=wrong_birth_date(10)),
    Trouble("some of a wrong shape", "Patient", r"warn: 3 of 10 resources looked at quarantined by rule type:Patient.birthDate; .*", before=wrong_birth_date(3)),
    Trouble("no patients", "Patient", "warn: none there; if the hospital has some, ask it for access.*", before=without_patients),
    Trouble("a type without a view", "Device", "warn: there, but no view takes it: it lands and isn't mapped; leave it out of `types`", "/Device", page_of({"resourceType": "Device", "id": "d"}), site={"types": ["Patient", "Device"]}),
    Trouble("code maps", "ConceptMap", "ok: there: it translates the site's codes", "/ConceptMap", page_of({"resourceType": "ConceptMap", "id": "m"}), site={"types": ["Patient", "ConceptMap"]}),
    Trouble("no Bundle", "Patient", "fail: search of Patient: .* answered with something else than a Bundle .*", "/Patient", bare({"resourceType": "Patient"})),
    Trouble("a search that stalls", "Patient", "fail: search of Patient: .*stalled.*", "search", does.sends(wire.silent), **QUICK),
    Trouble("searches that fail", "samples", "warn: not asked for, after what failed: Condition; run `cove doctor` again", "search", does.says(500), site={"types": ["Patient", "Observation", "Condition"]}),
    Trouble("a filter", "Observation", "ok: mapped", source="bulk", site={"type_filter": ["Observation?code=777-3"]}),
    Trouble("instants in UTC", "time zone", r"warn: instants are written with Z \(effectiveDateTime\), .*; where the hospital isn't in UTC, give its zone.*", before=dated_with_z),
    Trouble("instants in UTC, with a zone", "time zone", "ok: Asia/Seoul, by `timezone`", before=dated_with_z, site={"timezone": "Asia/Seoul"}),
    Trouble("a window", "window", "ok: 22:00 to 06:00 UTC; now is .*", site={"window": ["22:00", "06:00"]}),
)
