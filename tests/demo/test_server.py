"""The demo's server, asked over loopback as any client would: nobody gets anything without a token."""

from __future__ import annotations

import datetime as dt
import http.client
import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from demo.cohort import simulated_histories
from demo.earlier import a_month_earlier
from demo.hospitals import held, of_hospital
from demo.server.holdings import FIRST_NIGHT
from demo.server.listening import Listener, listening, move_on
from demo.server.opening import open_hospitals
from demo.server.tokens import ASSERTION_TYPE, CLIENT

NOW = dt.datetime(2021, 5, 1, tzinfo=dt.UTC)
KEY = ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384"})
STRANGER = ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384"})
CURRENT = simulated_histories()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """The hospitals at their first night."""
    jwks = {"keys": [KEY.as_dict(private=False)]}
    tokens = (f"token-{number}" for number in itertools.count())
    with listening() as listener:
        open_hospitals(
            listener,
            a_month_earlier(CURRENT),
            CURRENT,
            keys={"hospital-a": jwks, "hospital-b": jwks},
            clock=lambda: NOW,
            new_token=lambda: next(tokens),
            tell=lambda text: None,
        )
        yield listener


class Reply:
    """An answer: its status, headers, and body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def content(self) -> Any:
        return json.loads(self.body)


def ask(listener: Listener, path: str, method: str = "GET", body: str = "", **headers: str) -> Reply:
    connection = http.client.HTTPConnection(*listener.server_address[:2], timeout=10)
    connection.request(method, path, body or None, {k.replace("_", "-"): v for k, v in headers.items()})
    return Reply(connection.getresponse())


def assertion(listener: Listener, key: ECKey = KEY, **claims: Any) -> str:
    """An assertion of the client's to hospital b, with other claims where given."""
    seconds = int(NOW.timestamp())
    told = {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": f"{listener.base('hospital-b')}/token",
        "exp": seconds + 240,
        "jti": "1",
        **claims,
    }
    return jwt.encode({"alg": "ES384", "kid": "one", "typ": "JWT"}, told, key, algorithms=["ES384"])


def token(listener: Listener, signed: str) -> Reply:
    form = {
        "grant_type": "client_credentials",
        "scope": "system/Patient.rs",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
    }
    return ask(listener, "/hospital-b/fhir/token", "POST", urlencode(form))


def pages(listener: Listener, path: str) -> list[dict[str, Any]]:
    """The entries of all pages."""
    entries, place = [], path.partition("?")[0]
    while path:
        reply = ask(listener, path)
        if reply.status == 503:
            assert reply.headers["Retry-After"] == "1"
            continue
        assert len(reply.content["entry"]) <= 200
        entries += reply.content["entry"]
        links = reply.content.get("link", [])
        path = f"{place}{links[0]['url']}" if links else ""
    return entries


def test_it_listens_on_loopback_at_a_free_port() -> None:
    with listening() as one, listening() as other:
        assert {one.server_address[0], other.server_address[0]} == {"127.0.0.1"}
        assert one.server_address[1] != other.server_address[1]


def test_nothing_is_given_without_a_token(listener: Listener) -> None:
    started = ask(
        listener, "/hospital-a/fhir/Group/clofarabine/$export?_type=Patient", Prefer="respond-async"
    )
    wrong = ask(listener, "/hospital-b/fhir/export/1", Authorization="Bearer token-9")
    assert (started.status, wrong.status) == (401, 401)


def test_a_signed_assertion_gives_a_token_once(listener: Listener) -> None:
    signed = assertion(listener)
    first, second = token(listener, signed), token(listener, signed)
    assert first.content["access_token"] == "token-0" and first.content["expires_in"] == 300
    assert (second.status, second.content) == (401, {"error": "invalid_client"})


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"aud": "http://127.0.0.1/token"},
        {"exp": int(NOW.timestamp()) - 1},
        {"exp": int(NOW.timestamp()) + 301},
    ],
)
def test_an_assertion_of_other_claims_gives_none(listener: Listener, claims: dict[str, Any]) -> None:
    assert token(listener, assertion(listener, **claims)).status == 401


def test_an_assertion_by_another_key_or_of_none_gives_none(listener: Listener) -> None:
    assert token(listener, assertion(listener, STRANGER)).status == 401
    assert token(listener, "").status == 401


def exported(listener: Listener, **parameters: str) -> dict[str, Any]:
    """The manifest of an export by hospital b."""
    given = token(listener, assertion(listener, jti=json.dumps(parameters))).content["access_token"]
    access = {"Authorization": f"Bearer {given}", "Prefer": "respond-async"}
    query = urlencode({"_type": "Patient,Observation", **parameters})
    started = ask(listener, f"/hospital-b/fhir/Patient/$export?{query}", **access)
    status = started.headers["Content-Location"].removeprefix(listener.origin)
    waiting = ask(listener, status, **access)
    assert (started.status, waiting.status, waiting.headers["Retry-After"]) == (202, 202, "1")
    manifest: dict[str, Any] = ask(listener, status, **access).content
    assert ask(listener, status, "DELETE", **access).status == 202
    assert ask(listener, status, **access).status == 404
    return manifest


def test_an_export_has_the_types_asked_for_and_later_only_what_changed(listener: Listener) -> None:
    first = exported(listener)
    resources = held("b", of_hospital("b", a_month_earlier(CURRENT)))
    for kind in ("Patient", "Observation"):
        wanted = sum(row["resourceType"] == kind for row in resources)
        assert [file["count"] for file in first["output"] if file["type"] == kind] == [wanted]
    assert {file["type"] for file in first["output"]} == {"Patient", "Observation"} and not first["deleted"]
    move_on(listener.hospitals)
    second = exported(listener, _since=first["transactionTime"])
    # A late death (an observation of it) and a corrected value; and one that was withdrawn.
    assert [(file["type"], file["count"]) for file in second["output"]] == [("Observation", 2)]
    assert [(file["type"], file["count"]) for file in second["deleted"]] == [("Bundle", 1)]


def test_a_group_tells_its_members(listener: Listener) -> None:
    listener.hospitals["hospital-a"].tokens = None
    group = ask(listener, "/hospital-a/fhir/Group/clofarabine").content
    resources = held("a", of_hospital("a", a_month_earlier(CURRENT)))
    wanted = [f"Patient/{row['id']}" for row in resources if row["resourceType"] == "Patient"]
    assert [member["entity"]["reference"] for member in group["member"]] == wanted


def test_pages_lead_through_all_resources_of_a_type(listener: Listener) -> None:
    entries = pages(listener, "/hospital-d/fhir/Observation")
    resources = held("d", of_hospital("d", a_month_earlier(CURRENT)))
    wanted = [row["id"] for row in resources if row["resourceType"] == "Observation"]
    assert len(wanted) > 200
    assert [entry["resource"]["id"] for entry in entries] == wanted


def test_a_later_search_from_a_time_on_gives_what_changed_since(listener: Listener) -> None:
    since = FIRST_NIGHT.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    assert not pages(listener, f"/hospital-f/fhir/Observation?_lastUpdated=ge{since}")
    move_on(listener.hospitals)
    found = pages(listener, f"/hospital-f/fhir/Patient?_lastUpdated=ge{since}")
    assert [entry["resource"]["id"] for entry in found] == ["p048"]


def test_a_history_tells_deletions_without_a_resource(listener: Listener) -> None:
    move_on(listener.hospitals)
    entries = pages(
        listener, f"/hospital-d/fhir/_history?_since={FIRST_NIGHT.isoformat().replace('+', '%2B')}"
    )
    gone = [entry for entry in entries if entry["request"]["method"] == "DELETE"]
    assert len(gone) == 1 and "resource" not in gone[0]
    changed = [entry["response"]["lastModified"] for entry in entries]
    assert changed == sorted(changed, reverse=True)
    of_a_type = pages(listener, "/hospital-d/fhir/Observation/_history")
    assert [entry for entry in of_a_type if entry["request"]["method"] == "DELETE"] == gone
    assert {entry["request"]["url"].partition("/")[0] for entry in of_a_type} == {"Observation"}


def test_a_server_refuses_what_it_does_not_know(listener: Listener) -> None:
    since = "_lastUpdated=ge2021-05-01T00:00:00Z"
    assert ask(listener, f"/hospital-e/fhir/Patient?{since}").status == 400
    assert ask(listener, "/hospital-e/fhir/_history").status == 405
    assert ask(listener, "/hospital-e/fhir/Patient", "DELETE").status == 405
    assert ask(listener, "/hospital-z/fhir/Patient").status == 404
    assert ask(listener, "/hospital-e/elsewhere").status == 404
    assert ask(listener, "/hospital-e/fhir/Patient/p036").status == 404


def test_the_hospitals_clock_is_the_nights(listener: Listener) -> None:
    assert ask(listener, "/hospital-e/fhir/Patient").headers["Date"] == "Fri, 30 Apr 2021 17:00:00 GMT"
    move_on(listener.hospitals)
    assert ask(listener, "/hospital-e/fhir/Patient").headers["Date"] == "Mon, 31 May 2021 17:00:00 GMT"


def test_a_connection_is_cut_once_in_the_middle_and_the_rest_is_given_by_range(listener: Listener) -> None:
    hospital = listener.hospitals["hospital-a"]
    hospital.tokens = None
    started = ask(
        listener, "/hospital-a/fhir/Group/clofarabine/$export?_type=Observation", Prefer="respond-async"
    )
    path = started.headers["Content-Location"].removeprefix(listener.origin) + "/Observation.ndjson"
    with pytest.raises(http.client.IncompleteRead) as cut:
        ask(listener, path)
    whole = ask(listener, path)
    beginning = cut.value.partial
    rest = ask(listener, path, Range=f"bytes={len(beginning)}-", **{"If-Range": str(whole.headers["ETag"])})
    assert (rest.status, beginning + rest.body) == (206, whole.body)
    assert 0 < len(beginning) < len(whole.body)
