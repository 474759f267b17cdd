"""What the tests ask of the server and change in it, by plain HTTP: nothing of the project's own is used here."""

from __future__ import annotations

import json
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

BUNDLES = Path(__file__).parents[2].parent / "shared/data/synthea-100/bundles.zip"
SMALLEST = 20
TIMEOUT = 120

Resource = dict[str, Any]
Key = tuple[str, str]
"""Type and id."""


@dataclass(frozen=True)
class State:
    """What a server holds: the newest version of each resource, and which ones it held and doesn't any more."""

    current: dict[Key, Resource]
    deleted: frozenset[Key]

    def versions(self) -> set[tuple[str, str, str]]:
        """Type, id and version of each resource that is there."""
        return {(*key, resource["meta"]["versionId"]) for key, resource in self.current.items()}

    def of(self, kind: str) -> list[Resource]:
        """The resources of a type, by id."""
        return [self.current[key] for key in sorted(self.current) if key[0] == kind]


@dataclass(frozen=True)
class Hospital:
    """A FHIR server at its base address."""

    base: str

    def state(self, kinds: Iterable[str]) -> State:
        """The server's state of these types now, by searches and by the types' histories, which must agree."""
        current: dict[Key, Resource] = {}
        deleted: set[Key] = set()
        for kind in sorted(kinds):
            found = {(kind, resource["id"]): resource for resource in self.search(kind)}
            newest = self._newest(kind)
            there = {key: resource for key, resource in newest.items() if resource is not None}
            assert there == found, f"search and history of {kind} differ"
            current |= found
            deleted |= newest.keys() - there.keys()
        return State(current, frozenset(deleted))

    def search(self, kind: str, **parameters: str) -> Iterator[Resource]:
        """Every resource that a search finds, over all its pages."""
        for entry in self._entries(f"{self.base}/{kind}", {"_count": "500", **parameters}):
            if entry.get("search", {}).get("mode", "match") == "match":
                yield entry["resource"]

    def versions(self, kind: str) -> dict[tuple[str, str, str], Resource]:
        """Every version of the type that its history holds: type, id and version → resource."""
        entries = self._entries(f"{self.base}/{kind}/_history", {"_count": "500"})
        resources = [entry["resource"] for entry in entries if "resource" in entry]
        return {(kind, r["id"], r["meta"]["versionId"]): r for r in resources}

    def transaction(self, bundle: Resource) -> list[Key]:
        """Sends a transaction, and returns what each entry became. Raises HTTPError where it is refused."""
        answer = _checked(requests.post(self.base, json=bundle, headers=JSON, timeout=TIMEOUT))
        locations = [entry["response"]["location"].split("/") for entry in answer["entry"]]
        return [(parts[0], parts[1]) for parts in locations]

    def create(self, resource: Resource) -> str:
        """Creates a resource, and returns its id."""
        address = f"{self.base}/{resource['resourceType']}"
        return str(_checked(requests.post(address, json=resource, headers=JSON, timeout=TIMEOUT))["id"])

    def update(self, resource: Resource) -> Resource:
        """Puts a resource that is there already, and returns it as the server now has it."""
        address = f"{self.base}/{resource['resourceType']}/{resource['id']}"
        return _checked(requests.put(address, data=written(resource), headers=JSON, timeout=TIMEOUT))

    def delete(self, kind: str, id_: str) -> None:
        """Deletes a resource."""
        _checked(requests.delete(f"{self.base}/{kind}/{id_}", timeout=TIMEOUT))

    def _newest(self, kind: str) -> dict[Key, Resource | None]:
        # A history runs from the newest to the oldest: the first entry of each id is what holds. A deletion has
        # neither a resource nor a time here, only its version's address.
        newest: dict[Key, Resource | None] = {}
        for entry in self._entries(f"{self.base}/{kind}/_history", {"_count": "500"}):
            _, id_, *_ = entry["request"]["url"].split("/")
            newest.setdefault((kind, id_), entry.get("resource"))
        return newest

    def _entries(self, address: str, parameters: dict[str, str]) -> Iterator[Resource]:
        page = _checked(requests.get(address, params=parameters, headers=FRESH, timeout=TIMEOUT))
        while True:
            yield from page.get("entry", [])
            links = [link["url"] for link in page.get("link", []) if link["relation"] == "next"]
            if not links:
                return
            page = _checked(requests.get(links[0], headers=FRESH, timeout=TIMEOUT))


JSON = {"Content-Type": "application/fhir+json", "Prefer": "return=representation"}
FRESH = {"Cache-Control": "no-cache"}


def read_exactly(text: str | bytes) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_float=Decimal)


def written(resource: Resource) -> bytes:
    """A resource as JSON; numbers keep their digits, as FHIR asks."""
    numbers: dict[str, str] = {}

    def placed(value: object) -> str:
        assert isinstance(value, Decimal)
        mark = uuid.uuid4().hex
        numbers[mark] = str(value)
        return mark

    text = json.dumps(resource, default=placed)
    for mark, number in numbers.items():
        text = text.replace(f'"{mark}"', number)
    return text.encode()


def synthea_bundles() -> list[Resource]:
    """The transactions among the smallest files of synthea-100, those of hospitals and practitioners first.

    Its Group is none: it names all hundred patients, and is made here of those that are loaded.
    """
    with zipfile.ZipFile(BUNDLES) as archive:
        smallest = sorted(archive.infolist(), key=lambda file: file.file_size)[:SMALLEST]
        bundles = [json.loads(archive.read(file)) for file in smallest]
    transactions = [bundle for bundle in bundles if bundle.get("type") == "transaction"]
    return sorted(transactions, key=lambda bundle: "Patient" in _types(bundle))


def _types(bundle: Resource) -> set[str]:
    return {entry["resource"]["resourceType"] for entry in bundle["entry"]}


def _checked(response: requests.Response) -> Any:
    response.raise_for_status()
    return read_exactly(response.content)
