"""The token endpoint of SMART Backend Services: a short-lived token for an assertion that the client signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from demo.server.messages import Answer, Asked, as_json, refusal

CLIENT = "cove-demo"
LIFE = timedelta(minutes=5)
ALGORITHMS = ["ES384", "RS384"]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JSON = "application/json"


@dataclass
class Tokens:
    """Who may ask one hospital: the client's public keys (a JWKS), and the tokens given, with their ends.

    `clock` gives the real time, which the client's assertions are dated by; `new_token` makes a text nobody guesses.
    """

    address: str
    jwks: Any
    clock: Callable[[], datetime]
    new_token: Callable[[], str]
    given: dict[str, datetime] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def configuration(self) -> Answer:
        """`.well-known/smart-configuration`."""
        known = {
            "token_endpoint": self.address,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "scopes_supported": ["system/*.rs"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }
        return as_json(known, kind=JSON)

    def token(self, asked: Asked) -> Answer:
        """A token, or why there is none. An assertion is good for one."""
        form = dict(parse_qsl(asked.body.decode()))
        wanted = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        if any(form.get(name) != value for name, value in wanted.items()) or not form.get("scope"):
            return as_json({"error": "invalid_request"}, 400, kind=JSON)
        if not self._is_signed(form.get("client_assertion", "")):
            return as_json({"error": "invalid_client"}, 401, kind=JSON)
        token = self.new_token()
        self.given[token] = self.clock() + LIFE
        seconds = int(LIFE.total_seconds())
        content = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": seconds,
            "scope": form["scope"],
        }
        return as_json(content, kind=JSON)

    def refuses(self, asked: Asked) -> Answer | None:
        """401 where a request has no token that still holds."""
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        ends_at = self.given.get(token)
        if scheme == "Bearer" and ends_at is not None and self.clock() < ends_at:
            return None
        return refusal(401, "a token is needed")

    def end_all(self) -> None:
        """Every token ends now."""
        self.given.clear()

    def _is_signed(self, assertion: str) -> bool:
        # Imported here: it takes a tenth of a second, and is needed only where something is served.
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            claims = jwt.decode(assertion, KeySet.import_key_set(self.jwks), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            return False
        seconds = self.clock().timestamp()
        is_right = (
            claims.get("iss") == claims.get("sub") == CLIENT
            and claims.get("aud") == self.address
            and seconds < claims.get("exp", 0) <= seconds + LIFE.total_seconds()
            and claims.get("jti") not in self.used
        )
        self.used.add(str(claims.get("jti")))
        return is_right
