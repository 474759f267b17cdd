"""How the hospitals' files are packed. The same resources give the same bytes."""

from __future__ import annotations

import gzip
import json
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from demo.hospitals.dialect import Resource

EPOCH = (2021, 1, 1, 0, 0, 0)


def line(resource: Resource) -> str:
    """One resource in one line."""
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":"))


def write_ndjson(path: Path, resources: Iterable[Resource], *, more: Iterable[str] = ()) -> None:
    """A line a resource; `more` lines are written as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in (*map(line, resources), *more)), encoding="utf-8")


def write_gzip(path: Path, resources: Iterable[Resource]) -> None:
    """Gzipped NDJSON, without a time stamp."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{line(r)}\n" for r in resources).encode(), mtime=0))


def write_old_ndjson(path: Path, resources: Iterable[Resource]) -> None:
    """NDJSON as an old system exports it: a byte order mark, CRLF, a blank line now and then."""
    lines = [line(resource) for resource in resources]
    text = "\r\n".join(f"{one}\r\n" if number % 50 == 0 else one for number, one in enumerate(lines))
    path.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")


def write_zip(path: Path, members: Mapping[str, str]) -> None:
    """A zip archive, without time stamps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), text.encode(), zipfile.ZIP_DEFLATED)


def searchset(resources: Iterable[Resource], base: str) -> Resource:
    """A page of a search."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [
            {
                "fullUrl": f"{base}/{r['resourceType']}/{r['id']}" if "id" in r else f"{base}/outcome",
                "resource": r,
                "search": {"mode": "outcome" if r["resourceType"] == "OperationOutcome" else "match"},
            }
            for r in resources
        ],
    }


def transaction(resources: list[Resource], scope: str) -> Resource:
    """A transaction in which everything refers by `urn:uuid`; resources have no ids of their own."""
    names = {
        f"{r['resourceType']}/{r['id']}": _urn(f"{scope}/{r['resourceType']}/{r['id']}") for r in resources
    }
    text = json.dumps(resources, ensure_ascii=False)
    for reference, name in names.items():
        text = text.replace(json.dumps(reference), json.dumps(name))
    entries = [
        {
            "fullUrl": names[f"{r['resourceType']}/{r['id']}"],
            "resource": {name: value for name, value in r.items() if name != "id"},
            "request": {"method": "POST", "url": r["resourceType"]},
        }
        for r in json.loads(text)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
