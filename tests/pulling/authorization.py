"""Who may ask: SMART Backend Services with a token endpoint that checks what it is given, bearer, basic."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.pulling.wire import Request, Response, fhir, outcome

CLIENT = "cove-at-night"
BEARER = "bearer-Zk81-never-to-be-seen"
USER, PASSWORD = "night-user-Zk82", "password-Zk83-never-to-be-seen"
SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]+)\.(read|rs|r|s)(\?\S+)?")
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _to_text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(value: int) -> str:
    return _to_text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True)
class ClientKey:
    """A client's key pair, with the algorithm and the id it is registered under."""

    algorithm: str
    id: str
    private: PrivateKey

    def write_jwk(self, path: Path) -> Path:
        """Writes the private key as a JWK with `kid` and `alg`."""
        path.write_text(json.dumps({**self._fields(), "kid": self.id, "alg": self.algorithm}))
        return path

    def write_pem(self, path: Path) -> Path:
        """Writes the private key as PEM (PKCS 8)."""
        path.write_bytes(
            self.private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return path

    @property
    def secret(self) -> str:
        """The part of the JWK that no one may see."""
        return self._fields()["d"]

    def _fields(self) -> dict[str, str]:
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.private_numbers()
            public = numbers.public_numbers
            return {
                "kty": "RSA",
                "n": _number(public.n),
                "e": _number(public.e),
                "d": _number(numbers.d),
                "p": _number(numbers.p),
                "q": _number(numbers.q),
                "dp": _number(numbers.dmp1),
                "dq": _number(numbers.dmq1),
                "qi": _number(numbers.iqmp),
            }
        point = self.private.private_numbers()
        sides = {"x": point.public_numbers.x, "y": point.public_numbers.y, "d": point.private_value}
        return {"kty": "EC", "crv": "P-384", **{k: _to_text(v.to_bytes(48, "big")) for k, v in sides.items()}}


def new_key(algorithm: str) -> ClientKey:
    """A new key for ES384 or RS384."""
    if algorithm == "ES384":
        return ClientKey(algorithm, "key-of-es", ec.generate_private_key(ec.SECP384R1()))
    return ClientKey(algorithm, "key-of-rs", rsa.generate_private_key(65537, 2048))


@dataclass
class Authorization:
    """What a hospital asks of its clients, and the tokens it gave."""

    kind: str = "none"  # smart | bearer | basic | none
    keys: list[ClientKey] = field(default_factory=list)
    token_url: str = ""
    seconds: int = 300  # that a token lives
    tokens: dict[str, float] = field(default_factory=dict)  # token → when it ends, time.monotonic
    assertions: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def discovery(self) -> Response:
        """`.well-known/smart-configuration`."""
        return fhir(
            {
                "token_endpoint": self.token_url,
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
                "scopes_supported": ["system/*.read", "system/*.rs"],
                "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
            }
        ).with_headers(Content_Type="application/json")

    def token(self, request: Request) -> Response:
        """A token for a signed assertion; 400 with the reason kept in `refusals`."""
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        assertion = form.get("client_assertion", "")
        refused = self._refusal(request, form) or self._refusal_of_assertion(assertion)
        if refused:
            self.refusals.append(refused)
            return fhir({"error": "invalid_client", "error_description": refused}, 400)
        self.assertions.append(assertion)
        self.scopes.append(form["scope"])
        token = f"access-{secrets.token_urlsafe(24)}"
        self.tokens[token] = time.monotonic() + self.seconds
        body = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.seconds,
            "scope": form["scope"],
        }
        return fhir(body).with_headers(Content_Type="application/json")

    def refuses(self, request: Request) -> Response | None:
        """401 when the request lacks what is asked; None when it may pass."""
        given = request.headers.get("authorization", "")
        if self.kind == "none" or given in self._accepted():
            return None
        return outcome(401, "no access without a token").with_headers(WWW_Authenticate="Bearer")

    def forget_tokens(self) -> None:
        """Every token ends now."""
        self.tokens.clear()

    @property
    def secrets(self) -> list[str]:
        """All that must never be seen."""
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return [*self.tokens, *self.assertions, BEARER, PASSWORD, basic, *(key.secret for key in self.keys)]

    def _accepted(self) -> list[str]:
        if self.kind == "basic":
            return ["Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()]
        if self.kind == "bearer":
            return [f"Bearer {BEARER}"]
        return [f"Bearer {token}" for token, end in self.tokens.items() if end > time.monotonic()]

    def _refusal(self, request: Request, form: dict[str, str]) -> str | None:
        if "application/x-www-form-urlencoded" not in request.headers.get("content-type", ""):
            return "the request is no form"
        if form.get("grant_type") != "client_credentials":
            return "grant_type"
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return "client_assertion_type"
        scopes = form.get("scope", "").split()
        return None if scopes and all(SCOPE.fullmatch(scope) for scope in scopes) else "scope"

    def _refusal_of_assertion(self, assertion: str) -> str | None:
        head, claims, signature = assertion.split(".")
        header: dict[str, Any] = json.loads(_to_bytes(head))
        told: dict[str, Any] = json.loads(_to_bytes(claims))
        keys = [key for key in self.keys if header.get("alg") == key.algorithm]
        if not any(_is_signed(key, f"{head}.{claims}".encode(), _to_bytes(signature)) for key in keys):
            return "signature"
        if header.get("typ") != "JWT" or not header.get("kid"):
            return "header"
        if told.get("iss") != CLIENT or told.get("sub") != CLIENT:
            return "iss and sub"
        if told.get("aud") != self.token_url:
            return "aud"
        if not time.time() < told.get("exp", 0) <= time.time() + 301:
            return "exp"
        used = {json.loads(_to_bytes(known.split(".")[1]))["jti"] for known in self.assertions}
        return "jti" if not told.get("jti") or told["jti"] in used else None


def _is_signed(key: ClientKey, content: bytes, signature: bytes) -> bool:
    try:
        if isinstance(key.private, rsa.RSAPrivateKey):
            key.private.public_key().verify(signature, content, padding.PKCS1v15(), hashes.SHA384())
            return True
        if len(signature) != 96:  # JWS has the two numbers plain, not in DER
            return False
        numbers = (int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big"))
        key.private.public_key().verify(encode_dss_signature(*numbers), content, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        return False
    return True
