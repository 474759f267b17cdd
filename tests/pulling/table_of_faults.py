# ruff: noqa: E501 - a fault is one line, however long it is
"""The table of faults: one line is what goes wrong, where, how often, and what must come of it.

`exit`, `landed`, `says`, `jobs`, `deletes` are of the run during which the server fails; `jobs_after` is the
number of exports begun when the next run, without the fault, has ended. `says` is a pattern that the line
about the site must match. `landed` is "all" of the hospital, "less", "none", or "some version".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.pulling import deeds as does
from tests.pulling import wire
from tests.pulling.hospital import FAMILY
from tests.pulling.server import FOREVER, Deed


@dataclass(frozen=True)
class Row:
    """One fault."""

    name: str
    at: str
    does: Deed
    times: int = 1
    after: int = 0
    source: str = "bulk"
    auth: str = "none"
    exit: int = 0
    landed: str = "all"
    says: str = ""
    jobs: int | None = 1  # None: any number
    jobs_after: int | None = 1
    deletes: int | None = None
    waits: float = 0  # seconds that must pass between the first request there and the next
    at_most: int | None = None  # requests at the place during the run
    site: Mapping[str, Any] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)  # of Exporting or Searching

    @property
    def id(self) -> str:
        """The row's name among the tests."""
        return f"{self.source}: {self.name}"


LAST = "/Observation.2.ndjson"
LESS: dict[str, Any] = {"exit": 3, "landed": "less"}
NONE: dict[str, Any] = {"exit": 3, "landed": "none"}
EVER: dict[str, Any] = {"times": FOREVER}
REST: dict[str, Any] = {"source": "rest"}
SMART: dict[str, Any] = {"auth": "smart", "how": {"requires_token": True}}
QUICK: dict[str, Any] = {"site": {"timeout": {"connect": 2, "read": 1.2, "export": 60}}}
ONE: dict[str, Any] = {"site": {"rate": {"concurrent": 1}}}
NEW: dict[str, Any] = {"jobs_after": 2}

FAULTS = (
    # The server is busy.
    Row("kick-off 429, seconds", "kick-off", does.says(429, Retry_After="1"), waits=1),
    Row("kick-off 503, a date", "kick-off", does.says_when(503, 2), waits=1),
    Row("status 429, seconds", "status", does.says(429, Retry_After="1"), waits=1),
    Row("status 503, a date", "status", does.says_when(503, 2), waits=1),
    Row("file 503, seconds", LAST, does.says(503, Retry_After="1"), waits=1),
    Row("file 429, a date", LAST, does.says_when(429, 2), waits=1),
    Row("token 503, seconds", "token", does.says(503, Retry_After="1"), waits=1, **SMART),
    Row("search 429, seconds", "next", does.says(429, Retry_After="1"), waits=1, **REST),
    Row("search 503, a date", "search", does.says_when(503, 2), waits=1, **REST),
    Row("429 with a date that is past", "kick-off", does.says_when(429, -86_400), 2),
    Row("429 without an hour", "kick-off", does.says(429), 2),
    Row("429 with a strange hour", "kick-off", does.says(429, Retry_After="soon"), 2),
    Row("429 forever", "kick-off", does.says(429, Retry_After="0"), says="429", jobs=0, **EVER, **NONE),
    Row("Retry-After over longest", "kick-off", does.says(503, Retry_After="3600"), says="Retry-After|3600|longest", jobs=0, at_most=1, **EVER, **NONE),
    Row("a date over longest", "status", does.says_when(503, 7200), says="Retry-After|longest|20..-", at_most=1, **EVER, **NONE),
    Row("Retry-After of a file over longest", LAST, does.says(503, Retry_After="3600"), says="Retry-After|3600|longest", at_most=1, **EVER, **LESS),
    Row("Retry-After over longest", "next", does.says(429, Retry_After="3600"), says="Retry-After|3600|longest", at_most=1, **EVER, **LESS, **REST),
    Row("polls told to wait over longest", "status", does.adds(Retry_After="3600"), says="Retry-After|3600|longest|wait", at_most=1, **EVER, **NONE),
    Row("polls told not to wait", "status", does.adds(Retry_After="0"), waits=0.05, **EVER),
    # The server is broken.
    Row("kick-off 500 for a while", "kick-off", does.says(500), 2),
    Row("kick-off 500 forever", "kick-off", does.says(500), says="500", jobs=0, at_most=3, **EVER, **NONE),
    Row("status 500 for a while", "status", does.says(500), 2),
    Row("status 502 forever", "status", does.says(502), says="502", **EVER, **NONE),
    Row("file 500 for a while", LAST, does.says(500), 2),
    Row("file 500 forever", LAST, does.says(500), says="500", at_most=3, deletes=0, **EVER, **LESS),
    Row("all files 504 forever", "file", does.says(504), says="504", **EVER, **NONE),
    Row("token 500 for a while", "token", does.says(500), 2, **SMART),
    Row("token 500 forever", "token", does.says(500), says="500", jobs=0, **EVER, **NONE, **SMART),
    Row("discovery 500 for a while", "discovery", does.says(500), 2, **SMART),
    Row("search 500 for a while", "next", does.says(500), 2, **REST),
    Row("search 500 forever", "next", does.says(500), says="500", **EVER, **LESS, **REST),
    Row("DELETE refused", "delete", does.says(500), **EVER),
    # The connection breaks.
    Row("kick-off reset", "kick-off", does.sends(wire.reset_at_once), jobs=2),
    Row("status reset", "status", does.sends(wire.reset_at_once), 2),
    Row("manifest reset in the middle", "status", does.sends(wire.reset), after=1),
    Row("file reset in the middle", LAST, does.sends(wire.reset), 2),
    Row("file reset in the middle, no ranges", LAST, does.sends(wire.reset), 2, how={"has_ranges": False}),
    Row("file reset in the middle, no validator", LAST, does.sends(wire.reset), 2, how={"has_validators": False}),
    Row("file reset in the middle, gzip", LAST, does.sends(wire.reset), 2, how={"gzip": "encoding"}),
    Row("file reset in the middle forever", LAST, does.sends(wire.reset), says="reset|broke|cut|closed", **EVER, **LESS),
    Row("file shorter than its length", LAST, does.sends(wire.short)),
    Row("file shorter than its length forever", LAST, does.sends(wire.short), says="short|cut|ended|length|bytes|broke|less", **EVER, **LESS),
    Row("file in chunks", LAST, does.sends_chunks(wire.chunked)),
    Row("file in chunks, cut", LAST, does.sends_chunks(wire.chunked_and_cut)),
    Row("file in chunks, cut forever", LAST, does.sends_chunks(wire.chunked_and_cut), **EVER, **LESS),
    Row("file stalls", LAST, does.sends(wire.stalled), **QUICK),
    Row("file stalls forever", LAST, does.sends(wire.stalled), says="read|timeout|time|wait|second", **EVER, **LESS, **QUICK),
    Row("file drips, each wait short", LAST, does.sends(wire.dripped_body), **QUICK),
    Row("headers drip", "kick-off", does.sends(wire.dripped_head), jobs=2, **QUICK),
    Row("headers drip forever", "file", does.sends(wire.dripped_head), says="read|timeout|time|wait|second", **EVER, **NONE, **QUICK),
    Row("kick-off: headers cut", "kick-off", does.sends(wire.cut_head), jobs=2),
    Row("file: headers cut", "file", does.sends(wire.cut_head), 2),
    Row("file: headers cut forever", LAST, does.sends(wire.cut_head), says="broke", **EVER, **LESS),
    Row("page: headers cut", "next", does.sends(wire.cut_head), 2, **REST),
    Row("silence", "status", does.sends(wire.silent), **QUICK),
    Row("the rest of a file ends early", LAST, does.rest_ends_early, 2, how={"has_counts": False}),
    Row("page reset in the middle", "next", does.sends(wire.reset), 2, **REST),
    Row("page shorter than its length", "next", does.sends(wire.short), 2, **REST),
    Row("page shorter than its length forever", "next", does.sends(wire.short), **EVER, **LESS, **REST),
    Row("page stalls", "next", does.sends(wire.stalled), **REST, **QUICK),
    # Something else comes than was asked for.
    Row("file: gzip cut short", LAST, does.gzip_cut),
    Row("file: gzip cut short forever", LAST, does.gzip_cut, says="gzip|cut|short", **EVER, **LESS),
    Row("file: login page", LAST, does.login, 2),
    Row("file: login page declared NDJSON", LAST, does.login_as_ndjson, 2),
    Row("file: login page forever", LAST, does.login, says="HTML|html|page", **EVER, **LESS),
    Row("manifest: login page", "status", does.login, after=1),
    Row("manifest: login page forever", "status", does.login, after=1, says="HTML|html|page", **EVER, **NONE),
    Row("kick-off: login page forever", "kick-off", does.login, says="HTML|html|page|Content-Location", jobs=0, **EVER, **NONE),
    Row("page: login page", "next", does.login, 2, **REST),
    Row("page: login page forever", "search", does.login, says="HTML|html|page", **EVER, **NONE, **REST),
    Row("page: gzip cut short", "next", does.gzip_cut, 2, **REST),
    Row("page: half a JSON", "next", does.body(b'{"resourceType": "Bundle", "entry": ['), **REST),
    Row("page: half a JSON forever", "next", does.body(b'{"resourceType": "Bundle", "entry": ['), **EVER, **LESS, **REST),
    Row("page: an OperationOutcome instead", "next", does.body(b'{"resourceType": "OperationOutcome", "issue": []}'), **EVER, **LESS, **REST),
    Row("token: login page forever", "token", does.login, says="HTML|html|page", jobs=0, **EVER, **NONE, **SMART),
    Row("manifest: half a JSON", "status", does.body(b'{"transactionTime": "2026-'), after=1),
    Row("manifest: a transactionTime that is none", "status", does.changed(does.with_time("last night")), after=1, **EVER),
    Row("discovery of strange shapes", "discovery", does.changed(does.strange_scopes), **EVER, **SMART),
    Row("group of strange shapes", "group", does.body(b'{"resourceType": "Group", "member": [{"entity": "Patient/p0"}]}'), site={"group": "g"}, **EVER),
    Row("a Date that is no instant", "search", does.adds(Date="Fri, 31 Dec 9999 23:59:59 -0100"), **EVER, **REST),
    Row("next is half a character", "search", does.next_is_half_a_character, says="next.*address", **EVER, **NONE, **REST),
    Row("manifest: no output", "status", does.changed(does.without("output")), after=1, says="output|manifest", **EVER, **NONE),
    Row("manifest: no transactionTime", "status", does.changed(does.without("transactionTime")), after=1, **EVER),
    Row("file declared text/plain", "file", does.declared("text/plain"), **EVER),
    Row("file declared text/html", "file", does.declared("text/html"), **EVER),
    Row("page declared text/plain", "search", does.declared("text/plain"), **EVER, **REST),
    Row("kick-off without an address", "kick-off", does.drops("Content-Location"), says="Content-Location|status|export", jobs=None, jobs_after=None, **EVER, **NONE),
    Row("file with blank lines and without a last end", LAST, does.with_blank_lines, at_most=1, **EVER),
    Row("file said to be gzip and plain", "file", does.adds(Content_Encoding="gzip"), **EVER),
    Row("file as gzip without a word", LAST, does.packed, **EVER),
    Row("file in an encoding not asked for", LAST, does.adds(Content_Encoding="br"), says="encoding", at_most=3, **EVER, **LESS),
    Row("file packed twice", LAST, does.packed_twice, at_most=1, **EVER),
    Row("file: login page after blank lines forever", LAST, does.login_after_blank_lines, says="page", **EVER, **LESS),
    Row("file after a mark", LAST, does.marked, **EVER),
    Row("page as gzip without a word", "search", does.packed, **EVER, **REST),
    Row("page after a mark", "search", does.marked, **EVER, **REST),
    Row("manifest as gzip without a word", "status", does.packed, after=1, **EVER),
    Row("progress in HTML", "status", does.progress_in_html, 2),
    Row("manifest names a file by its path", "status", does.changed(does.first_file_relative), after=1, **EVER),
    Row("file of nothing, and counted so", "status", does.changed(does.with_empty_file), after=1, **EVER),
    Row("file of nothing though counted", LAST, does.body(b"")),
    Row("manifest names a local file", "status", does.changed(does.first_file_is("file:///etc/hostname")), after=1, says="address|url|URL|file", **EVER, **LESS),
    Row("manifest names a type that is a path", "status", does.changed(does.first_type_is("../../evil")), after=1, **EVER),
    Row("manifest names a type that is a person", "status", does.changed(does.first_type_is(FAMILY)), after=1, **EVER),
    Row("manifest names a file twice", "status", does.changed(does.first_file_twice), after=1, **EVER),
    Row("manifest's next leads to itself", "status", does.changed(does.manifest_leads_to_itself), after=1, says="next|loop|again|read", **EVER, **NONE),
    # Access ends.
    Row("token ends between files", "file", does.tokens_end, after=1, **SMART),
    Row("token ends while polling", "status", does.tokens_end, **SMART),
    Row("token refused forever", "file", does.says(401), says="401|credential|refused|access", at_most=2 * 3, **EVER, **NONE, **SMART),
    Row("kick-off 403", "kick-off", does.says(403), says="403", jobs=0, at_most=1, **EVER, **NONE, **SMART),
    Row("kick-off 401 forever", "kick-off", does.says(401), says="401", jobs=0, at_most=2, **EVER, **NONE, **SMART),
    Row("credentials refused", "token", does.says(400), says="400|credential|refused", jobs=0, at_most=1, **EVER, **NONE, **SMART),
    Row("page 401 forever", "next", does.says(401), says="401", **EVER, **LESS, **REST),
    # Something is gone.
    Row("file 404", LAST, does.says(404), says="404", deletes=1, at_most=1, **EVER, **LESS, **NEW),
    Row("file 410", LAST, does.says(410), says="410", deletes=1, at_most=1, **EVER, **LESS, **NEW),
    Row("status 404", "status", does.says(404), jobs=2),
    Row("status 410", "status", does.says(410), jobs=2),
    Row("status 404 forever", "status", does.says(404), says="404", jobs=2, jobs_after=None, **EVER, **NONE),
    Row("kick-off 404", "kick-off", does.says(404), says="404", jobs=0, at_most=1, **EVER, **NONE),
    Row("next 410", "next", does.says(410), **REST),
    Row("next 404", "next", does.says(404), after=1, **REST),
    Row("next 410 forever", "next", does.says(410), says="410", at_most=2, **EVER, **LESS, **REST),
    Row("search 404", "search", does.says(404), says="404", **EVER, **NONE, **REST),
    # An export that never ends, or ends badly.
    Row("export never ends", "status", lambda s, q, r: wire.Response(202, headers={"X-Progress": "1%"}), says="export|end", deletes=1, site={"timeout": {"connect": 2, "read": 1, "export": 1}}, **EVER, **NONE, **NEW),
    # Redirects.
    Row("kick-off redirected", "kick-off", does.redirect(307, does.elsewhere)),
    Row("file redirected", "file", does.redirect(302, does.elsewhere), **EVER, **SMART),
    Row("file redirected in a circle", LAST, does.redirect(302, does.itself), says="redirect|address", **EVER, **LESS),
    Row("status at another origin", "kick-off", does.status_elsewhere, **SMART),
    Row("kick-off redirected, with a token", "kick-off", does.redirect(307, does.elsewhere), **SMART),
    Row("all files at another origin", "status", does.changed(does.files_elsewhere), after=1, **EVER, **SMART),
    Row("search redirected", "search", does.redirect(302, does.elsewhere), 4, auth="smart", **REST),
    Row("kick-off redirected within", "kick-off", does.redirect(307, does.within), **SMART),
    Row("token redirected", "token", does.redirect(307, does.elsewhere), says="redirect|307", jobs=0, **EVER, **NONE, **SMART),
    Row("token redirected within", "token", does.redirect(302, does.itself), says="redirect|302", jobs=0, **EVER, **NONE, **SMART),
    # Counts and pages that don't agree.
    Row("count differs once", LAST, does.first_line_only),
    Row("count differs forever", "status", does.changed(does.counts_one_more), after=1, exit=1, says="count|lines", **EVER),
    Row("next leads to itself", "next", does.next_is_itself, says="next|loop|read|again", **EVER, **LESS, **REST),
    Row("page repeated", "search", does.next_repeats, 2, **REST),
    Row("page changed while paging", "next", does.updates, landed="some version", **REST),
    Row("next at another origin", "search", does.next_is_elsewhere, **EVER, **REST),
)  # fmt: skip
