"""Who Cove is to a server: a SMART Backend Services token, a bearer token, a name and password, or nobody."""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from typing import Any

from flows.config import Secret, Site
from flows.pull.failures import Refused, SiteFailure, refusal
from flows.pull.http import JSON, Ask, Authorizer, Connection, NoCredentials
from flows.pull.keys import client_assertion, read_key
from flows.pull.tries import with_tries
from flows.pull.urls import is_private, is_web, told

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EARLY = 60.0  # seconds before its end that a token is renewed, or a quarter of its life where that is short
UNTOLD_LIFE = 300.0  # seconds of a token whose server doesn't say how long it lives


def authorizer_for(site: Site, plain: Connection, types: Sequence[str]) -> Authorizer:
    """What authorizes requests of a site for the types; `plain` is its connection without credentials.

    Raises UserError where a secret isn't there.
    """
    if site.auth == "smart":
        return SmartToken(site, plain, types)
    if site.auth == "bearer" and site.token is not None:
        return FixedHeader(site.token)
    if site.auth == "basic" and site.password is not None:
        return FixedHeader(site.password, site.user)
    return NoCredentials()


def check_secrets(site: Site) -> None:
    """Raises UserError where a secret that the site's requests need isn't there."""
    for secret in (site.private_key, site.token, site.user, site.password, site.cert, site.key):
        if isinstance(secret, Secret):
            secret.reveal()


class FixedHeader:
    """A bearer token, or a name and password; read again once refused, since its file may be renewed."""

    def __init__(self, secret: Secret, user: Secret | str | None = None) -> None:
        self._secret, self._user = secret, user

    def header(self) -> str | None:
        secret = self._secret.reveal()
        if self._user is None:
            if not (secret.isascii() and secret.isprintable()):
                raise SiteFailure(
                    "credentials", "`token` has characters that no token has", "write the token alone there"
                )
            return f"Bearer {secret}"
        user = self._user.reveal() if isinstance(self._user, Secret) else self._user
        return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()

    def renew(self, refused: str | None) -> bool:
        return self.header() != refused


class SmartToken:
    """A short-lived token by the client's key (private_key_jwt), for the types' scopes only.

    `asked` and `granted` are the scopes of the last token: what was asked for, and what the server says that it
    gave. Source: SMART App Launch 2.2, Backend Services.
    """

    def __init__(self, site: Site, plain: Connection, types: Sequence[str]) -> None:
        self._site, self._plain, self._types = site, plain, types
        self._lock = threading.Lock()
        self._header: str | None = None
        self._renewed_at = 0.0
        self._configuration: dict[str, Any] | None = None
        self.asked = self.granted = ""

    def header(self) -> str | None:
        with self._lock:
            if self._header is None or self._plain.clock.monotonic() >= self._renewed_at:
                self._fetch()
            return self._header

    def renew(self, refused: str | None) -> bool:
        with self._lock:
            # Another thread may have renewed it while this one waited.
            if self._header == refused:
                self._header = None
        return True

    def _fetch(self) -> None:
        address = self._token_address()
        if not (is_web(address) and is_private(address)):
            raise SiteFailure(
                "token",
                "the server's token endpoint is plain http, which shows credentials",
                "tell the hospital",
            )
        asked_at = self._plain.clock.monotonic()
        try:
            # Each try with an assertion of its own: a server takes none twice.
            answer = with_tries(
                self._site.retry,
                self._plain.clock,
                "token",
                lambda: self._plain.document(self._ask(address)).content,
                self._plain.tell,
            )
        except Refused as refused:
            if refused.status in (400, 401, 403):
                raise SiteFailure(
                    "token",
                    f"{refused}: the credentials were refused",
                    "check `client_id`, `private_key` and `scope` with the hospital",
                ) from refused
            raise refusal("token", refused) from refused
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            raise SiteFailure("token", f"{told(address)} gave no access token", "tell the hospital")
        life = _seconds(life)
        granted = answer.get("scope")
        # A server that says nothing gave what was asked for (RFC 6749, 5.1).
        self.granted = granted if isinstance(granted, str) and granted.strip() else self.asked
        self._header = f"Bearer {token}"
        self._renewed_at = asked_at + life - min(EARLY, life / 4)

    def _ask(self, address: str) -> Ask:
        key = self._site.private_key
        if key is None:
            raise SiteFailure("token", "`private_key` is missing", "give the client's key")
        client = self._site.client_id or ""
        self.asked = self._scope()
        form = {
            "grant_type": "client_credentials",
            "scope": self.asked,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": client_assertion(
                read_key(key.reveal()), client=client, audience=address, now=self._plain.clock.now()
            ),
        }
        return Ask(address, "token", accept=JSON, method="POST", form=form, has_credentials=False)

    def _token_address(self) -> str:
        if self._site.token_url:
            return self._site.token_url
        address = self._discovered().get("token_endpoint")
        if not isinstance(address, str):
            raise SiteFailure(
                "discovery", "the server names no token endpoint", "give `token_url` of the site"
            )
        return address

    def _discovered(self) -> dict[str, Any]:
        if self._configuration is None:
            url = f"{self._site.url}/.well-known/smart-configuration"
            try:
                answer = self._plain.tried(Ask(url, "discovery", accept=JSON, has_credentials=False))
            except Refused as refused:
                raise SiteFailure(
                    "discovery", str(refused), "check `url`, or give `token_url` of the site"
                ) from refused
            self._configuration = answer.content
        return self._configuration

    def _scope(self) -> str:
        if self._site.scope:
            return self._site.scope
        known = {} if self._site.token_url else self._discovered()
        return " ".join(f"system/{name}.{rights_of(known)}" for name in self._types)


def rights_of(configuration: dict[str, Any]) -> str:
    """How a server writes the right to read and search: `rs` where it knows SMART 2 only, else `read`."""
    scopes = [one for one in _texts(configuration.get("scopes_supported")) if one.startswith("system/")]
    endings = {one.rpartition(".")[2].partition("?")[0] for one in scopes}
    if endings:
        return "read" if endings & {"read", "*"} else "rs"
    capabilities = _texts(configuration.get("capabilities"))
    return "rs" if "permission-v2" in capabilities and "permission-v1" not in capabilities else "read"


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _seconds(life: Any) -> float:
    try:
        seconds = float(life)
    except (TypeError, ValueError):
        return UNTOLD_LIFE
    return seconds if 0 < seconds < float("inf") else UNTOLD_LIFE
