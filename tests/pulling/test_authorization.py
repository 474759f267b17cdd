"""Credentials: the right ones, to the right place, and over a connection that keeps them."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from tests.pulling.authorization import BEARER, CLIENT, new_key
from tests.pulling.certificates import new_authority
from tests.pulling.exports import Exporting
from tests.pulling.pulls import NORTH, Bench, expected, served, site, smart
from tests.pulling.server import Server

PLAIN = {
    "bearer": {"auth": "bearer", "token": "env:NIGHT_TOKEN"},
    "basic": {"auth": "basic", "user": "env:NIGHT_USER", "password": "env:NIGHT_PASSWORD"},
}


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
@pytest.mark.parametrize("source", ["bulk", "rest"])
def test_a_signed_assertion_gets_a_token(bench: Bench, server: Server, algorithm: str, source: str) -> None:
    server.exports.how = server.exporting = Exporting(requires_token=True)
    bench.configure(site(server, source, **smart(bench, server, algorithm)))
    done = bench.pull()
    assert done.code == 0, done.text
    assert server.authorization.refusals == []
    assert bench.landed() == expected(server)
    assert len(server.asked("token")) == 1


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_key_may_be_pem(bench: Bench, server: Server, algorithm: str) -> None:
    key = new_key(algorithm)
    server.authorization.kind = "smart"
    server.authorization.keys.append(key)
    path = key.write_pem(bench.folder / "key.pem")
    bench.configure(site(server, auth="smart", client_id=CLIENT, private_key=f"file:{path}"))
    done = bench.pull()
    assert done.code == 0, done.text
    assert "signature" not in server.authorization.refusals


def test_scopes_are_asked_for_only_as_needed(bench: Bench, server: Server) -> None:
    bench.configure(site(server, **smart(bench, server)))
    assert bench.pull().code == 0
    scopes = server.authorization.scopes[0].split()
    assert {scope.split(".")[0] for scope in scopes} == {"system/Patient", "system/Observation"}


def test_a_scope_may_be_configured(bench: Bench, server: Server) -> None:
    bench.configure(site(server, **smart(bench, server, scope="system/*.rs")))
    assert bench.pull().code == 0
    assert server.authorization.scopes == ["system/*.rs"]


def test_a_token_is_renewed_before_it_ends(bench: Bench, server: Server) -> None:
    server.authorization.seconds = 2
    server.exports.how = server.exporting = Exporting(polls=3, retry_after="1", requires_token=True)
    bench.configure(site(server, **smart(bench, server)))
    done = bench.pull()
    assert done.code == 0, done.text
    assert len(server.asked("token")) >= 2
    assert server.authorization.refusals == []


def test_the_token_endpoint_may_be_elsewhere(bench: Bench, server: Server) -> None:
    server.authorization.token_url = f"{server.elsewhere}/auth/token"
    bench.configure(site(server, **smart(bench, server)))
    done = bench.pull()
    assert done.code == 0, done.text
    assert {request.port for request in server.asked("token")} == {server.other_port}


def test_the_token_endpoint_may_be_configured(bench: Bench, server: Server) -> None:
    server.authorization.token_url = f"{server.origin}/auth/token"
    bench.configure(site(server, **smart(bench, server, token_url=server.authorization.token_url)))
    assert bench.pull().code == 0


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("source", ["bulk", "rest"])
def test_a_plain_credential_opens(bench: Bench, server: Server, kind: str, source: str) -> None:
    server.authorization.kind = kind
    bench.configure(site(server, source, **PLAIN[kind]))
    done = bench.pull()
    assert done.code == 0, done.text
    assert bench.landed() == expected(server)


@pytest.mark.parametrize("kind", PLAIN)
def test_a_credential_that_is_refused_ends_with_three(bench: Bench, server: Server, kind: str) -> None:
    server.authorization.kind = kind
    bench.configure(site(server, **PLAIN[kind]))
    wrong = {"NIGHT_TOKEN": "wrong-Zk90", "NIGHT_PASSWORD": "wrong-Zk91"}
    done = bench.cove("pull", "--config", "cove.toml", **wrong)
    assert done.code == 3
    assert "401" in done.failure_of(NORTH)
    assert "Zk9" not in done.text
    assert len(server.asked("kick-off")) <= 2


def test_a_secret_that_is_missing_ends_with_two_before_anything_is_asked(
    bench: Bench, server: Server
) -> None:
    bench.configure(site(server, auth="bearer", token="env:NIGHT_NOT_THERE"))
    done = bench.pull()
    assert done.code == 2, done.text
    last = done.err.splitlines()[-1]
    assert NORTH in last and "NIGHT_NOT_THERE" in last
    assert server.requests == []


@pytest.mark.parametrize("kind", PLAIN)
def test_credentials_go_over_plain_http_to_loopback_only(bench: Bench, kind: str) -> None:
    bench.configure({"name": NORTH, "source": "bulk", "url": "http://hospital.example/fhir", **PLAIN[kind]})
    done = bench.pull()
    assert done.code in (2, 3)
    assert "https" in done.err


def _pull_over_tls(bench: Bench, context: ssl.SSLContext, **more: Any) -> tuple[int, str, Server]:
    server = Server(tls=context)
    bench.servers.append(server)
    with served(server):
        bench.configure(site(server, **more))
        done = bench.pull()
    return done.code, done.text if done.code == 0 else done.failure_of(NORTH), server


def test_a_certificate_of_the_hospitals_own_authority_is_accepted(bench: Bench) -> None:
    authority = new_authority(bench.folder / "ca")
    context = authority.server_side(authority.issue("server"))
    code, text, server = _pull_over_tls(bench, context, ca=authority.path)
    assert code == 0, text
    assert bench.landed() == expected(server)


@pytest.mark.parametrize(
    "wrong", ["another authority", "no authority", "another host", "ended"], ids=lambda text: text
)
def test_a_certificate_that_does_not_match_ends_with_three(bench: Bench, wrong: str) -> None:
    authority = new_authority(bench.folder / "ca")
    issued = authority.issue(
        "server",
        host="hospital.example" if wrong == "another host" else "127.0.0.1",
        days=-1 if wrong == "ended" else 30,
    )
    known = new_authority(bench.folder / "other", "other") if wrong == "another authority" else authority
    options = {} if wrong == "no authority" else {"ca": known.path}
    code, line, server = _pull_over_tls(bench, authority.server_side(issued), **options)
    assert code == 3
    assert "certificate" in line
    assert server.requests == []


def test_mutual_tls_shows_the_clients_certificate(bench: Bench) -> None:
    authority = new_authority(bench.folder / "ca")
    context = authority.server_side(authority.issue("server"), asks_for_client=True)
    certificate, key = authority.issue("client")
    options = {"auth": "mtls", "ca": authority.path, "cert": f"file:{certificate}", "key": f"file:{key}"}
    code, text, server = _pull_over_tls(bench, context, **options)
    assert code == 0, text
    assert bench.landed() == expected(server)


def test_mutual_tls_without_the_clients_certificate_ends_with_three(bench: Bench) -> None:
    authority = new_authority(bench.folder / "ca")
    context = authority.server_side(authority.issue("server"), asks_for_client=True)
    code, _, server = _pull_over_tls(bench, context, ca=authority.path)
    assert code == 3
    assert server.requests == []


def test_a_key_of_another_curve_is_refused_in_words(bench: Bench, server: Server) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    path = bench.folder / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server.authorization.kind = "smart"
    bench.configure(site(server, auth="smart", client_id=CLIENT, private_key=f"file:{path}"))
    done = bench.pull()
    assert done.code == 3, done.text
    assert "P-384" in done.failure_of(NORTH)


def test_a_proxy_of_the_environment_is_not_for_hospitals(bench: Bench, server: Server) -> None:
    bench.configure(site(server))
    nowhere = "http://127.0.0.1:9"
    done = bench.cove("pull", "--config", "cove.toml", http_proxy=nowhere, ALL_PROXY=nowhere)
    assert done.code == 0, done.text


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_this_machine_has_other_names(bench: Bench, host: str) -> None:
    server = Server(host=host)
    bench.servers.append(server)
    with served(server):
        bench.configure(site(server, **smart(bench, server)))
        done = bench.pull()
    assert done.code == 0, done.text
    assert bench.landed() == expected(server)


def test_a_mark_before_a_token_in_a_file_is_no_part_of_it(bench: Bench, server: Server) -> None:
    server.authorization.kind = "bearer"
    path = bench.folder / "token"
    path.write_bytes(b"\xef\xbb\xbf" + BEARER.encode() + b"\r\n")
    bench.configure(site(server, auth="bearer", token=f"file:{path}"))
    done = bench.pull()
    assert done.code == 0, done.text
    assert bench.landed() == expected(server)


def test_a_token_that_no_header_takes_fails_its_site_only(bench: Bench, server: Server) -> None:
    other = Server()
    with served(other):
        bench.configure(
            site(server, auth="bearer", token="env:STRANGE"),
            site(other, name="calm"),
        )
        done = bench.cove("pull", STRANGE="das geheime Wörtchen “x”")
    assert done.code == 3
    assert "`token`" in done.failure_of(NORTH)
    assert "geheime" not in done.text
    assert bench.landed("calm") == expected(other)
