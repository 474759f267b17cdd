"""Routes each resource of a landed file to the lines of its type and FHIR version, and keeps the books.

What a view takes, and is right, goes to `<type>.<version>.ndjson` in the work folder, each line with its
place:

    {"ordinal":…,"site":…,"file":…,"line":…,"full_url":…,"hash":…,"resource":{…}}

Everything else is a row of a ledger. The counts that come out of here are made where a piece is seen, apart
from what then becomes of it, so that the two can be compared.
"""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from flows.landing import LandedFile
from flows.ledgers import DELETIONS, FINDINGS, IDENTIFIERS, LOCAL_ALIASES, SEEN, Ledger
from flows.pieces import Piece, bundle_pieces
from flows.splitting import split
from mappers.shape_check import Checked, ShapeChecker

MAPPED, QUARANTINED, NOT_ASKED_FOR = "mapped", "quarantined", "not_asked_for"
MAX_NESTING = 8  # bundles within bundles
FLUSH_AT = 4 << 20

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass
class Lines:
    """The lines of one site, type and FHIR version: where they are, how many, and how long the longest is."""

    path: Path
    target: BinaryIO
    count: int = 0
    size: int = 0
    longest: int = 0
    held: list[bytes] = field(default_factory=list)
    held_size: int = 0

    def add(self, line: bytes) -> None:
        self.held.append(line)
        self.held_size += len(line)
        self.count += 1
        if len(line) > self.longest:
            self.longest = len(line)
        if self.held_size >= FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        self.target.write(b"".join(self.held))
        self.size += self.held_size
        self.held.clear()
        self.held_size = 0


@dataclass(frozen=True)
class Counted:
    """How many resources a file was found to hold, by type, before anything was made of them."""

    file: LandedFile
    types: Counter[str]

    @property
    def landed(self) -> int:
        return self.types.total()


class Router:
    """Takes files one after the other; `close` writes what is still held.

    `identified` are the types that a view's reference may point to by identifier.
    """

    def __init__(self, work: Path, checker: ShapeChecker, identified: frozenset[str]) -> None:
        self.lines: dict[tuple[str, str, str], Lines] = {}
        self.seen = Ledger(work / "seen.parquet", SEEN)
        self.findings = Ledger(work / "findings.parquet", FINDINGS)
        self.deletions = Ledger(work / "deletions.parquet", DELETIONS)
        self.identifiers = Ledger(work / "identifiers.parquet", IDENTIFIERS)
        self.aliases = Ledger(work / "aliases.parquet", LOCAL_ALIASES)
        self._work, self._checker, self._identified = work, checker, identified
        self._ordinal = 0
        self._site: str | None = None

    def take(self, file: LandedFile) -> Counted:
        """Routes every resource of the file."""
        if file.site != self._site:
            # Lines held, and files open, for every type of every site would be too many.
            self._put_away()
            self._site = file.site
        counted = Counted(file, Counter())
        for batch in split(file.path, self._work):
            for piece in batch:
                self._take(file, piece, counted.types, 0)
        return counted

    def close(self) -> None:
        self._put_away()
        for ledger in (self.seen, self.findings, self.deletions, self.identifiers, self.aliases):
            ledger.close()

    def _put_away(self) -> None:
        for lines in self.lines.values():
            if not lines.target.closed:
                lines.flush()
                lines.target.close()

    def _take(self, file: LandedFile, piece: Piece, types: Counter[str], nesting: int) -> None:
        if piece.deleted is not None:
            self.deletions.add(
                file.site, file.sha256, piece.line, piece.deleted, piece.full_url, piece.deleted_at
            )
            return
        if piece.rule:
            types[""] += 1
            self._refuse(file, piece, Checked(rule=piece.rule), None)
            return
        checked = self._checker.check(piece.data)
        if checked.resource_type == "Bundle" and nesting < MAX_NESTING:
            for inner in bundle_pieces(piece.data, piece.line):
                self._take(file, inner, types, nesting + 1)
            return
        types[checked.resource_type or ""] += 1
        self._settle(file, piece, checked)

    def _settle(self, file: LandedFile, piece: Piece, checked: Checked) -> None:
        digest = hashlib.sha256(piece.data).hexdigest()
        if checked.rule:
            self._refuse(file, piece, checked, digest)
        elif not checked.is_asked_for:
            self._enter(file, piece, checked, checked.id or id_from(piece.full_url), digest, NOT_ASKED_FOR)
        else:
            identity = self._map(file, piece, checked, digest)
            for raw in checked.contained or ():
                self._take_contained(file, piece, checked.contained or [], bytes(raw), checked, identity)

    def _map(self, file: LandedFile, piece: Piece, checked: Checked, digest: str) -> str:
        data, identity = piece.data, checked.id
        if not identity:
            identity = id_from(piece.full_url) or f"sha256:{digest}"
            data = with_id(data, identity)
        self._write(file, piece, checked, data, digest)
        self._enter(file, piece, checked, identity, digest, MAPPED)
        return identity

    def _write(self, file: LandedFile, piece: Piece, checked: Checked, data: bytes, digest: str) -> None:
        data = on_one_line(data, checked)
        self._ordinal += 1
        url = "null" if piece.full_url is None else json.dumps(piece.full_url)
        place = (
            f'{{"ordinal":{self._ordinal},"site":{json.dumps(file.site)},"file":"{file.sha256}",'
            f'"line":{piece.line},"full_url":{url},"hash":"{digest}","resource":'
        )
        self._lines_of(file.site, checked).add(b"".join((place.encode(), data, b"}\n")))

    def _lines_of(self, site: str, checked: Checked) -> Lines:
        key = (site, str(checked.resource_type), str(checked.fhir_version))
        lines = self.lines.get(key)
        if lines is None:
            path = self._work / f"{len(self.lines)}.ndjson"
            lines = self.lines[key] = Lines(path, path.open("wb"))
        elif lines.target.closed:
            lines.target = lines.path.open("ab")
        return lines

    def _enter(
        self,
        file: LandedFile,
        piece: Piece,
        checked: Checked,
        identity: str | None,
        digest: str | None,
        status: str,
        is_contained: bool = False,
    ) -> None:
        self.seen.add(
            file.site,
            file.sha256,
            piece.line,
            checked.resource_type,
            identity,
            checked.version_id,
            checked.last_updated,
            digest,
            piece.full_url,
            checked.fhir_version,
            status,
            checked.rule,
            is_contained,
            self._ordinal if status == MAPPED else None,
        )
        for rule in checked.findings:
            self.findings.add(file.site, file.sha256, piece.line, checked.resource_type, identity, rule)
        if status == MAPPED and checked.resource_type in self._identified:
            self._identify(file, checked, identity)

    def _refuse(self, file: LandedFile, piece: Piece, checked: Checked, digest: str | None) -> None:
        identity = checked.id or (id_from(piece.full_url) if checked.resource_type else None)
        self._enter(file, piece, checked, identity, digest, QUARANTINED)

    def _identify(self, file: LandedFile, checked: Checked, identity: str | None) -> None:
        for system, value in _identifiers(checked.resource):
            self.identifiers.add(file.site, file.sha256, checked.resource_type, identity, system, value)

    def _take_contained(
        self,
        file: LandedFile,
        owner: Piece,
        siblings: list[msgspec.Raw],
        data: bytes,
        owner_checked: Checked,
        owner_id: str,
    ) -> None:
        """Writes a contained resource out as one of its own; it is part of its owner, and not counted."""
        checked = self._checker.check(data)
        owner_key = f"{owner_checked.resource_type}/{owner_id}"
        identity = f"{owner_key}#{checked.id}"
        piece = Piece(owner.line, data)
        digest = hashlib.sha256(data).hexdigest()
        if checked.rule:
            finding = f"contained:{checked.rule}"
            self.findings.add(
                file.site, file.sha256, owner.line, owner_checked.resource_type, owner_id, finding
            )
            self._enter(file, piece, checked, identity, digest, QUARANTINED, True)
        elif not checked.is_asked_for or not checked.id:
            self._enter(file, piece, checked, identity, digest, NOT_ASKED_FOR, True)
        else:
            self._write(file, piece, checked, with_id(data, identity), digest)
            self._enter(file, piece, checked, identity, digest, MAPPED, True)
            self._alias_contained(file, siblings, owner_key, identity, checked)

    def _alias_contained(
        self, file: LandedFile, siblings: list[msgspec.Raw], owner_key: str, identity: str, checked: Checked
    ) -> None:
        """`#x` means the same within the owner and within what it contains; `#` alone is the owner."""
        key = f"{checked.resource_type}/{identity}"
        self.aliases.add(file.site, file.sha256, identity, key)
        self.aliases.add(file.site, file.sha256, f"{key}#", owner_key)
        for raw in siblings:
            other = self._checker.check(bytes(raw))
            if other.id and other.resource_type:
                other_key = f"{other.resource_type}/{owner_key}#{other.id}"
                self.aliases.add(file.site, file.sha256, f"{key}#{other.id}", other_key)


def id_from(full_url: str | None) -> str | None:
    """The id that an entry's fullUrl gives: a URN as a whole, the last part of a server's URL."""
    if not full_url:
        return None
    if full_url.startswith("urn:"):
        return full_url
    return re.sub(r"/_history/[^/]*$", "", full_url).rstrip("/").rpartition("/")[2] or None


def with_id(data: bytes, identity: str) -> bytes:
    """The resource with this id."""
    members = _members.decode(data)
    return msgspec.json.encode(members | {"id": msgspec.Raw(msgspec.json.encode(identity))})


def on_one_line(data: bytes, checked: Checked) -> bytes:
    """The resource as a line of NDJSON, its fields spelt as the standard has them."""
    if b"\n" in data or b"\r" in data:
        # Between tokens only: JSON has no line breaks within strings.
        data = data.replace(b"\n", b" ").replace(b"\r", b" ")
    if checked.fhir_version == "R5" and checked.resource_type == "MedicationAdministration":
        data = _with_standard_spelling(data)
    return data


def _with_standard_spelling(data: bytes) -> bytes:
    """`occurrence[x]` as R5 itself spells it in MedicationAdministration: `occurence[x]`."""
    if b"occurrence" not in data:
        return data
    members = _members.decode(data)
    return msgspec.json.encode(
        {re.sub("^(_?)occurrence", r"\1occurence", name): v for name, v in members.items()}
    )


def _identifiers(resource: Any) -> list[tuple[str | None, str]]:
    if isinstance(resource, dict):
        listed = resource.get("identifier")
        found = [i for i in listed if isinstance(i, dict)] if isinstance(listed, list) else []
        pairs = [(item.get("system"), item.get("value")) for item in found]
    else:
        listed = getattr(resource, "f_identifier", None) or ()
        if not isinstance(listed, list | tuple):
            listed = [listed]
        pairs = [(item.f_system, item.f_value) for item in listed]
    return [(s if isinstance(s, str) else None, v) for s, v in pairs if isinstance(v, str) and v]
