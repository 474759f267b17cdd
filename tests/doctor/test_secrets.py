"""Secrets and certificates before the first night: there, readable by their owner only, what they should be."""

from __future__ import annotations

import re
import ssl
from typing import Any

import pytest

from tests.doctor.examined import Said, examined
from tests.pulling.authorization import CLIENT, new_key
from tests.pulling.certificates import Authority, new_authority
from tests.pulling.pulls import Bench, served, site, smart
from tests.pulling.server import Server


def smart_with(server: Server, key: str) -> dict[str, Any]:
    return site(server, "rest", auth="smart", client_id=CLIENT, private_key=key)


def test_a_variable_that_is_not_set_is_told_and_what_needs_no_credentials_is_tried(
    bench: Bench, server: Server
) -> None:
    said = examined(bench, site(server, "rest", auth="bearer", token="env:NIGHT_NOT_THERE"))
    assert said.code == 3
    assert said.line("token") == "fail: the variable NIGHT_NOT_THERE isn't set; set it"
    assert said.line("reachable").startswith("ok")
    assert said.line("capable").startswith("ok")
    assert said.line("not tried").startswith("warn")
    assert not server.asked("search", "token")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "fail: .*k.pem can't be read .*; put it there"),
        ("", "fail: .*k.pem is empty; write it there"),
        (
            "-----BEGIN NOTHING-----",
            "fail: .*can't be read as a private key; give a JWK with kid and alg, or PEM.*",
        ),
        ('{"kty": "EC", "crv": "P-384"}', "fail: .*can't be read as a private key; .*"),
        ('{"keys": []}', "fail: .*can't be read as a private key; .*"),
    ],
)
def test_a_private_key_that_is_none_is_told(
    bench: Bench, server: Server, content: str | None, says: str
) -> None:
    if content is not None:
        (bench.folder / "k.pem").write_text(content)
    said = examined(bench, smart_with(server, "file:k.pem"))
    assert said.code == 3
    assert re.fullmatch(says, said.line("private_key")), said.lines


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_private_key_is_told_by_its_algorithm_and_who_can_read_it(
    bench: Bench, server: Server, algorithm: str
) -> None:
    key = new_key(algorithm)
    server.authorization.kind = "smart"
    server.authorization.keys.append(key)
    path = key.write_pem(bench.folder / "k.pem")
    path.chmod(0o640)
    said = examined(bench, smart_with(server, "file:k.pem"))
    line = said.line("private_key")
    assert line.startswith("warn: ") and algorithm in line and f"chmod 600 {path}" in line
    path.chmod(0o600)
    said = examined(bench, smart_with(server, "file:k.pem"))
    assert said.code == 0
    assert said.line("private_key").startswith("ok: ")
    assert said.line("authorised").startswith("ok: ")


def test_a_key_that_the_hospital_does_not_know_is_refused(bench: Bench, server: Server) -> None:
    options = smart(bench, server)
    server.authorization.keys = [new_key("ES384")]
    said = examined(bench, site(server, "rest", **options))
    assert said.code == 3
    assert "check `client_id`, `private_key` and `scope` with the hospital" in said.line("authorised")
    assert said.line("clock").startswith("ok")


def over_tls(bench: Bench, context: ssl.SSLContext, **more: Any) -> Said:
    hospital = Server(tls=context)
    bench.servers.append(hospital)
    with served(hospital):
        return examined(bench, site(hospital, "rest", **more))


@pytest.fixture
def authority(bench: Bench) -> Authority:
    return new_authority(bench.folder / "ca")


@pytest.mark.parametrize(
    ("host", "days", "knows", "says"),
    [
        ("127.0.0.1", 30, True, "ok: .* answers"),
        (
            "hospital.example",
            30,
            True,
            "fail: .*certificate is for another host; write the host of `url` as .*",
        ),
        (
            "127.0.0.1",
            -1,
            True,
            "fail: .*certificate has ended; tell the hospital, and see whether .*clock.*",
        ),
        (
            "127.0.0.1",
            30,
            False,
            "fail: .*certificate isn't trusted; give the PEM file of the authority .* as `ca`",
        ),
    ],
)
def test_what_is_wrong_with_a_server_s_certificate_is_told(
    bench: Bench, authority: Authority, host: str, days: int, knows: bool, says: str
) -> None:
    context = authority.server_side(authority.issue("server", host=host, days=days))
    said = over_tls(bench, context, **({"ca": authority.path} if knows else {}))
    assert re.fullmatch(says, said.line("reachable")), said.lines
    assert said.code == (3 if says.startswith("fail") else 0)


@pytest.mark.parametrize("days", [365, 3, -1])
def test_a_client_s_certificate_is_told_by_its_end(bench: Bench, authority: Authority, days: int) -> None:
    context = authority.server_side(authority.issue("server"), asks_for_client=True)
    certificate, key = authority.issue("client", days=days)
    key.chmod(0o600)
    options = {"auth": "mtls", "ca": authority.path, "cert": f"file:{certificate}", "key": f"file:{key}"}
    said = over_tls(bench, context, **options)
    verdict = {365: "ok", 3: "warn", -1: "fail"}[days]
    assert said.line("cert").startswith(verdict), said.lines
    assert said.code == (3 if days < 0 else 0)


def test_a_server_that_wants_a_client_s_certificate_is_told_of(bench: Bench, authority: Authority) -> None:
    context = authority.server_side(authority.issue("server"), asks_for_client=True)
    said = over_tls(bench, context, ca=authority.path)
    assert said.code == 3
    assert said.line("reachable").startswith("fail: ")


def test_a_key_of_another_certificate_is_told_of(bench: Bench, authority: Authority) -> None:
    context = authority.server_side(authority.issue("server"), asks_for_client=True)
    certificate, _ = authority.issue("client")
    _, other = authority.issue("other")
    options = {"auth": "mtls", "ca": authority.path, "cert": f"file:{certificate}", "key": f"file:{other}"}
    said = over_tls(bench, context, **options)
    assert said.line("reachable").startswith("fail: connection: `ca`, `cert` or `key` can't be read")


def test_an_authority_that_is_no_certificate_is_told_of(bench: Bench, authority: Authority) -> None:
    (bench.folder / "no.pem").write_text("nothing")
    said = over_tls(bench, authority.server_side(authority.issue("server")), ca="no.pem")
    assert (
        said.line("ca")
        == f"fail: {bench.folder / 'no.pem'} can't be read as a certificate; give the authority's as PEM"
    )
