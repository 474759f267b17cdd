"""The client's key, a JWK or PEM, and what is signed with it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

from flows.pull.failures import SiteFailure

LIFE = 240  # seconds of an assertion; the standard allows 300
ALGORITHMS = ("ES384", "RS384")


@dataclass(frozen=True)
class ClientKey:
    """A private key, with the id and algorithm that its hospital knows it by."""

    key: Any
    kid: str
    algorithm: str


def read_key(text: str) -> ClientKey:
    """The key in a JWK, a set of them (the first private one), or PEM; its id is the thumbprint if it has none.

    Raises SiteFailure, without anything of the key.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    try:
        written = _jwk(text)
        if isinstance(written, dict):
            kinds: dict[str, Any] = {"EC": ECKey, "RSA": RSAKey}
            key: Any = kinds[written["kty"]].import_key(written)
        else:
            key = _from_pem(text)
        if not key.is_private:
            raise ValueError
        kid = str(key.kid or key.thumbprint())
        algorithm = _algorithm(key, written)
    except (JoseError, ValueError, KeyError, TypeError):
        # From nothing: the error may hold the key.
        raise SiteFailure(
            "token",
            "`private_key` can't be read as a private key",
            "give a JWK with kid and alg, or PEM: EC P-384 (ES384) or RSA (RS384)",
        ) from None
    return ClientKey(key, kid, algorithm)


def client_assertion(key: ClientKey, *, client: str, audience: str, now: dt.datetime) -> str:
    """The JWT by which the client says who it is to one token endpoint, once."""
    from joserfc import jwt

    seconds = int(now.timestamp())
    claims = {
        "iss": client,
        "sub": client,
        "aud": audience,
        "jti": uuid.uuid4().hex,
        "iat": seconds,
        "exp": seconds + LIFE,
    }
    header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, claims, key.key, algorithms=[key.algorithm])


def _jwk(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    written = json.loads(text)
    if "keys" in written:
        written = next(key for key in [*written["keys"], {}] if "d" in key or not key)
    return dict(written)


def _from_pem(text: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from joserfc.jwk import ECKey, RSAKey

    # Either kind would be taken for the other's without a word.
    is_rsa = isinstance(load_pem_private_key(text.encode(), None), RSAPrivateKey)
    return RSAKey.import_key(text) if is_rsa else ECKey.import_key(text)


def _algorithm(key: Any, written: dict[str, Any] | None) -> str:
    """As the key says, else by its kind. An algorithm that SMART doesn't name isn't one of a client's."""
    named = (written or {}).get("alg") or {"EC": "ES384", "RSA": "RS384"}[key.key_type]
    if named not in ALGORITHMS:
        raise ValueError
    fits = key.key_type == "RSA" if named == "RS384" else getattr(key, "curve_name", None) == "P-384"
    if not fits:
        raise ValueError
    return str(named)
