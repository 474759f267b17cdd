"""The fault server itself: a server that lets everything pass would prove nothing."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.pulling.authorization import CLIENT, ClientKey, new_key
from tests.pulling.exports import Exporting
from tests.pulling.server import Server
from tests.pulling.table_of_faults import FAULTS

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(key: ClientKey, url: str, *, as_der: bool = False, **claims: Any) -> str:
    """An assertion as SMART Backend Services asks for, with other claims where given."""
    head = {"alg": key.algorithm, "kid": key.id, "typ": "JWT"}
    body = {"iss": CLIENT, "sub": CLIENT, "aud": url, "exp": time.time() + 200, "jti": "1", **claims}
    content = f"{_text(json.dumps(head).encode())}.{_text(json.dumps(body).encode())}"
    if isinstance(key.private, rsa.RSAPrivateKey):
        signature = key.private.sign(content.encode(), padding.PKCS1v15(), hashes.SHA384())
    else:
        signature = key.private.sign(content.encode(), ec.ECDSA(hashes.SHA384()))
        if not as_der:
            signature = b"".join(part.to_bytes(48, "big") for part in decode_dss_signature(signature))
    return f"{content}.{_text(signature)}"


def ask(server: Server, assertion: str, **form: str) -> requests.Response:
    """A request for a token."""
    fields = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    fields |= {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
    return requests.post(server.authorization.token_url, data=fields | form, timeout=5)


@pytest.fixture(params=["ES384", "RS384"])
def key(request: pytest.FixtureRequest, server: Server) -> ClientKey:
    """A key that the server knows."""
    made = new_key(request.param)
    server.authorization.kind = "smart"
    server.authorization.keys.append(made)
    return made


def test_a_right_assertion_gets_a_token_that_opens(server: Server, key: ClientKey) -> None:
    answer = ask(server, signed(key, server.authorization.token_url))
    token = answer.json()["access_token"]
    address = f"{server.url}/Patient"
    assert requests.get(address, timeout=5).status_code == 401
    assert requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=5).ok


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "http://elsewhere.example/token"}, "aud"),
        ({"exp": 1}, "exp"),
        ({"exp": time.time() + 4000}, "exp"),
        ({"jti": ""}, "jti"),
        ({"iss": "another"}, "iss and sub"),
    ],
)
def test_a_wrong_claim_is_refused(
    server: Server, key: ClientKey, claims: dict[str, Any], reason: str
) -> None:
    assert ask(server, signed(key, server.authorization.token_url, **claims)).status_code == 400
    assert server.authorization.refusals == [reason]


def test_an_assertion_opens_once_and_by_its_key_only(server: Server, key: ClientKey) -> None:
    url = server.authorization.token_url
    assertion = signed(key, url)
    assert [ask(server, assertion).status_code for _ in range(2)] == [200, 400]
    assert ask(server, signed(new_key(key.algorithm), url, jti="2")).status_code == 400
    assert ask(server, signed(key, url, jti="3"), scope="everything").status_code == 400
    assert server.authorization.refusals == ["jti", "signature", "scope"]


def test_a_signature_in_der_is_refused(server: Server) -> None:
    key = new_key("ES384")
    server.authorization.keys.append(key)
    assert ask(server, signed(key, server.authorization.token_url, as_der=True)).status_code == 400


def test_an_export_is_deleted_with_its_files(server: Server) -> None:
    server.exports.how = server.exporting = Exporting(polls=0)
    headers = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
    assert requests.get(f"{server.url}/$export", timeout=5).status_code == 400
    begun = requests.get(f"{server.url}/$export", headers=headers, timeout=5)
    at = begun.headers["Content-Location"]
    file = requests.get(at, timeout=5).json()["output"][0]["url"]
    whole = requests.get(file, timeout=5)
    part = requests.get(file, headers={"Range": "bytes=10-", "If-Range": whole.headers["ETag"]}, timeout=5)
    assert (part.status_code, part.content) == (206, whole.content[10:])
    other = requests.get(file, headers={"Range": "bytes=10-", "If-Range": '"other"'}, timeout=5)
    assert (other.status_code, other.content) == (200, whole.content)
    assert requests.delete(at, timeout=5).status_code == 202
    assert requests.get(at, timeout=5).status_code == requests.get(file, timeout=5).status_code == 404


def test_every_fault_has_a_name_of_its_own_and_a_place_that_is_there() -> None:
    assert len({row.id for row in FAULTS}) == len(FAULTS)
    from tests.pulling.server import PLACES

    places = {place for place, _, _ in PLACES} | {"next"}
    assert all(row.at in places or row.at.startswith("/") for row in FAULTS)


@pytest.mark.parametrize(
    "words",
    [
        "429", "503", "a date", "seconds", "500 for a while", "500 forever", "reset in the middle", "shorter than",
        "stalls", "headers drip", "gzip cut", "login page", "declared", "token ends between files", "file 404",
        "file 410", "status 404", "status 410", "never ends", "redirected", "over longest", "leads to itself",
        "next 410", "page repeated", "page changed", "count differs once", "count differs forever",
    ],
)  # fmt: skip
def test_every_kind_of_bad_night_is_in_the_table(words: str) -> None:
    assert any(words in row.name for row in FAULTS)


def test_the_server_knows_nothing_of_the_client() -> None:
    here = Path(__file__).parent
    parts = ("server", "wire", "exports", "searches", "authorization", "certificates", "hospital", "deeds")
    assert not any("from flows" in (here / f"{part}.py").read_text() for part in parts)
