"""Whether the server takes the site's credentials, and whether they reach all that a pull asks for."""

from __future__ import annotations

from collections.abc import Sequence

from flows.config import Site
from flows.doctor.lines import Line, failed, listed, ok, warn
from flows.doctor.lines import fail as failing
from flows.doctor.samples import Sample
from flows.pull.auth import SmartToken
from flows.pull.failures import SiteFailure
from flows.pull.http import Authorizer
from flows.pull.keys import LIFE

ENDS_WITHIN = 300  # seconds in which an assertion must end: SMART App Launch 2.2, Backend Services
TOLERANCE = 30.0  # seconds between clocks that nobody notices
KEYS = {
    "smart": "`client_id`, `private_key` and `scope`",
    "bearer": "`token`",
    "basic": "`user` and `password`",
    "mtls": "`cert` and `key`",
}


def refuses_tokens(ahead: float | None) -> bool:
    """Whether the clocks differ so much that an assertion has ended, or ends too late, for the server."""
    return ahead is not None and not -LIFE < ahead < ENDS_WITHIN - LIFE


def clock_line(site: Site, ahead: float | None, token: SiteFailure | None) -> Line:
    """The line of the clocks; `token` is the failure to get a token, if there is one."""
    if ahead is None:
        return warn(
            "clock",
            "the server doesn't tell its time",
            "tell the hospital: searches can't bring only what is new",
        )
    if abs(ahead) <= TOLERANCE:
        return ok("clock", "agrees with the server's")
    way = "ahead of" if ahead > 0 else "behind"
    found = f"this machine's clock is {abs(ahead):.0f} seconds {way} the server's"
    remedy = "set this machine's clock (NTP), or tell the hospital"
    if token is not None and token.step == "token" and refuses_tokens(ahead):
        return failing("clock", f"{found}, so that a token is refused", remedy)
    if site.auth == "smart":
        return warn("clock", f"{found}; with more than {ENDS_WITHIN - LIFE} no token is given", remedy)
    return warn("clock", found, remedy)


def token_failure(authorizer: Authorizer) -> SiteFailure | None:
    """Why there is no token; None where there is one, or none is needed."""
    try:
        authorizer.header()
    except SiteFailure as failure:
        return failure
    return None


def token_line(failure: SiteFailure, ahead: float | None) -> Line:
    """The line of a token that can't be had."""
    line = failed("authorised", failure)
    if failure.step == "token" and refuses_tokens(ahead):
        return failing("authorised", line.found, f"set the clock first, see `clock`; then {line.remedy}")
    return line


def accepted_line(site: Site, samples: Sequence[Sample]) -> Line:
    """The line about the credentials, by what the server answered to the samples."""
    statuses = {sample.status for sample in samples}
    if any(sample.is_there for sample in samples):
        return ok("authorised", "no credentials are needed" if site.auth == "none" else _accepted(site))
    if 401 in statuses:
        if site.auth == "none":
            return failing(
                "authorised", "the server wants credentials (401)", "set `auth`, see docs/configuration.md"
            )
        return failing(
            "authorised",
            f"the credentials are refused (401), {_of(site)}",
            f"check {KEYS[site.auth]} with the hospital",
        )
    if 403 in statuses:
        found = "the server knows the credentials, and allows nothing of what was tried (403)"
        if site.auth == "none":
            found = "the server allows nothing without credentials (403)"
        verdict = warn if site.source == "bulk" else failing
        return verdict("authorised", found, "ask the hospital for read access to the site's `types`")
    return warn("authorised", f"nothing shows whether {_of(site)} is accepted", "the first pull will tell")


def scope_line(authorizer: Authorizer, types: Sequence[str], samples: Sequence[Sample]) -> Line | None:
    """The line about what a token is for; None where there is none. A sample that came shows more than a scope."""
    if not isinstance(authorizer, SmartToken):
        return None
    missing = [name for name in types if not _covers(authorizer.granted, name)]
    if not missing:
        return ok("scopes", f"all {len(types)} types are granted")
    shown = {sample.resource_type for sample in samples if sample.is_there}
    found = f"the server granted no read access to {listed(missing)}"
    remedy = (
        "ask the hospital to grant it, or name `types` without them; an export may leave them out silently"
    )
    return (warn if set(missing) <= shown else failing)("scopes", found, remedy)


def _covers(granted: str, name: str) -> bool:
    """Whether a scope lets a type be read and searched, in SMART's first way of writing it or the second."""
    for scope in granted.split():
        context, _, rest = scope.partition("/")
        kind, _, rights = rest.partition("?")[0].partition(".")
        may_read = rights in ("read", "*") or ({"r", "s"} <= set(rights) <= set("cruds"))
        if context == "system" and kind in ("*", name) and may_read:
            return True
    return False


def _of(site: Site) -> str:
    return f'auth = "{site.auth}"'


def _accepted(site: Site) -> str:
    return f"the credentials are accepted, {_of(site)}"
