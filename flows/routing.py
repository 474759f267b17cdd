"""Routes each resource of a landed file to the lines of its type and FHIR version, and keeps the books.

What a view takes, and is right, goes to a file of lines of its site, type and version, each with its place:

    {"ordinal":…,"file":…,"line":…,"part":…,"full_url":…,"scope":…,"resource":{…}}

Everything else is a row of a ledger. `file` is the number of a landed file within the load; no other resource has
the same file, line and part. The counts that come out of here are made where a piece is seen, apart from what then
becomes of it, so that the two can be compared.
"""

import functools
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from flows.blocks import Block, DeletionsBlock, LineBlock
from flows.bundles import bundle_pieces
from flows.exact_numbers import DuplicateKeyError, Tree, with_exact_numbers
from flows.ledgers import Deletion, Finding, Identifier, Ledger, LocalAlias, Row, Seen
from flows.pieces import Piece
from flows.resource_text import id_from, on_one_line, with_id, with_spaces
from flows.sorted_lines import LINE_END, Lines, place_of
from mappers.json_keys import has_escaped_letter
from mappers.shape_check import Checked, ShapeChecker, may_be_imprecise

MAPPED, QUARANTINED, NOT_ASKED_FOR = "mapped", "quarantined", "not_asked_for"
UNREADABLE = "unreadable"  # what DuckDB's reader refuses, as an object that has a key twice
TYPE_KEY = b'"resourceType"'
MAX_NESTING = 8  # bundles within bundles

LEDGERS: tuple[type[Row], ...] = (Seen, Finding, Deletion, Identifier, LocalAlias)

# A site, a resource type, and the FHIR version in which its lines are right.
LinesKey = tuple[str, str, str]


class Router:
    """Takes blocks of files, and writes into the folder `work`; `close` writes what is still held.

    `identified` gives, for a FHIR version, the types that a view's reference may point to by identifier, and
    `exact_numbers`, for a version and type, the numbers that a view reads as they were written (None: none).
    Ordinals of lines begin after `first_ordinal`, so that several routers' can't be the same.
    """

    def __init__(
        self,
        work: Path,
        checker: ShapeChecker,
        identified: Callable[[str], frozenset[str]],
        exact_numbers: Callable[[str, str], Tree | None],
        first_ordinal: int = 0,
    ) -> None:
        self.lines: dict[LinesKey, Lines] = {}
        self.has_urls = False  # whether any resource came with one of its own, as in a Bundle
        self._ledgers = {kind: Ledger(ledger_path(work, kind)) for kind in LEDGERS}
        self.folder, self._checker = work, checker
        self._identified = functools.cache(identified)
        self._exact_numbers = exact_numbers
        self._ordinal = self._name = first_ordinal
        self._scopes = self._parts = 0
        self._site: str | None = None
        self._plain: dict[type, Lines] = {}

    def take(self, file: int, site: str, block: Block) -> Counter[str]:
        """Routes every resource of a block of the file; returns how many it holds, by type ("" unknown)."""
        if site != self._site:
            # Lines held, and files open, for every type of every site would be too many.
            self._put_away()
            self._plain.clear()
            self._site = site
        types: Counter[str] = Counter()
        self._take_plain(file, block, types)
        return types

    def close(self) -> dict[type[Row], int]:
        """Writes what is held; returns the length of the longest row in each ledger."""
        self._put_away()
        return {kind: ledger.close() for kind, ledger in self._ledgers.items()}

    def _put_away(self) -> None:
        for lines in self.lines.values():
            lines.put_away()

    def _take_plain(self, file: int, block: Block, types: Counter[str]) -> None:
        """Takes what is right and needs nothing more, which is almost everything, in one narrow loop.

        All else, and the first line of each type, is taken the whole way.
        """
        decode, version = self._checker.decode, self._checker.first_version
        pieces = block.pieces()
        # Looked for in the whole block, since it is rare and a search of a line costs more than its length.
        is_lines = isinstance(block, LineBlock)
        text = block.data if isinstance(block, LineBlock) else b"".join([piece.data for piece in pieces])
        self.has_urls = self.has_urls or (not is_lines and any(piece.full_url for piece in pieces))
        is_even = not isinstance(block, DeletionsBlock) and not _is_odd(text, pieces)
        has_breaks = b"\r" in text or (not is_lines and b"\n" in text)
        seen, ordinal = self._ledgers[Seen].rows, self._ordinal
        for piece in pieces:
            data = piece.data
            try:
                resource = decode(data)
            except (ValueError, RecursionError):
                resource = None
            lines = self._plain.get(type(resource))
            is_plain = is_even or not (piece.is_only_counted or _is_odd(data, [piece]))
            if not is_plain or lines is None or not resource.f_id or resource.f_contained:
                self._ordinal, self._parts = ordinal, 0
                self._take(file, piece, types, 0)
                ordinal = self._ordinal
                decode = self._checker.decode  # which knows the type now
                continue
            meta = resource.f_meta
            digest = hashlib.sha256(data).hexdigest()
            ordinal += 1
            types[lines.resource_type] += 1
            data = with_spaces(data) if has_breaks else data
            lines.held += (place_of(ordinal, file, piece), data, LINE_END)
            seen.append(
                Seen(
                    file,
                    piece.line,
                    MAPPED,
                    lines.resource_type,
                    resource.f_id,
                    digest,
                    version,
                    ordinal,
                    meta.f_versionId if meta else None,
                    meta.f_lastUpdated if meta else None,
                    piece.full_url,
                    scope=piece.scope,
                )
            )
        self._ordinal = ordinal
        for lines in self._plain.values():
            lines.settle()
        self._ledgers[Seen].spill()

    def _take(self, file: int, piece: Piece, types: Counter[str], nesting: int) -> None:
        if piece.deleted is not None:
            deletion = Deletion(file, piece.line, piece.deleted, piece.full_url, piece.deleted_at)
            self._ledgers[Deletion].add(deletion)
            return
        if piece.rule:
            types[""] += 1
            self._refuse(file, piece, Checked(rule=piece.rule), None)
            return
        checked = self._checker.check(piece.data)
        if checked.resource_type == "Bundle" and nesting < MAX_NESTING:
            self._scopes += 1
            for inner in bundle_pieces(piece.data, piece.line, f"{self._name}.{self._scopes}"):
                self.has_urls = self.has_urls or bool(inner.full_url)
                within = structs.replace(inner, is_only_counted=piece.is_only_counted, part=self._next_part())
                self._take(file, within, types, nesting + 1)
            return
        types[checked.resource_type or ""] += 1
        self._settle(file, piece, checked)

    def _next_part(self) -> int:
        self._parts += 1
        return self._parts

    def _settle(self, file: int, piece: Piece, checked: Checked) -> None:
        digest = hashlib.sha256(piece.data).hexdigest()
        if checked.rule:
            self._refuse(file, piece, checked, digest)
        elif not checked.is_asked_for or piece.is_only_counted:
            identity = checked.id or id_from(piece.full_url)
            self._enter(file, piece, checked, identity, digest, NOT_ASKED_FOR)
        else:
            self._map(file, piece, checked, digest)

    def _map(self, file: int, piece: Piece, checked: Checked, digest: str) -> None:
        data, identity = piece.data, checked.id
        if not identity:
            identity = id_from(piece.full_url) or f"sha256:{digest}"
            data = with_id(data, identity)
        if not self._write(file, piece, checked, data):
            self._refuse(file, piece, structs.replace(checked, rule=UNREADABLE), digest)
            return
        self._enter(file, piece, checked, identity, digest, MAPPED)
        for raw in checked.contained or ():
            self._take_contained(file, piece, checked.contained or [], bytes(raw), checked, identity)

    def _write(self, file: int, piece: Piece, checked: Checked, data: bytes) -> bool:
        """Whether the line could be written: an object with the same key twice can't be written anew."""
        lines = self._lines_of(checked)
        if lines.exact is not None:
            try:
                data = with_exact_numbers(data, lines.exact)
            except (DuplicateKeyError, RecursionError):
                return False
        data = on_one_line(data, checked)
        self._ordinal += 1
        lines.add(place_of(self._ordinal, file, piece), data)
        return True

    def _lines_of(self, checked: Checked) -> Lines:
        key = (str(self._site), str(checked.resource_type), str(checked.fhir_version))
        lines = self.lines.get(key)
        if lines is None:
            path = self.folder / f"{len(self.lines)}.ndjson"
            lines = self.lines[key] = Lines(path, key[1], self._exact_numbers(key[2], key[1]))
        needs_more = lines.exact is not None or self._is_identified(checked)
        is_right = isinstance(checked.resource, msgspec.Struct)
        if is_right and checked.fhir_version == self._checker.first_version and not needs_more:
            self._plain[type(checked.resource)] = lines
        return lines

    def _enter(
        self,
        file: int,
        piece: Piece,
        checked: Checked,
        identity: str | None,
        digest: str | None,
        status: str,
        owner_part: int | None = None,
    ) -> None:
        self._ledgers[Seen].add(
            Seen(
                file,
                piece.line,
                status,
                checked.resource_type,
                identity,
                digest,
                checked.fhir_version,
                self._ordinal if status == MAPPED else None,
                checked.version_id,
                checked.last_updated,
                piece.full_url,
                checked.rule,
                owner_part,
                piece.scope,
                piece.part,
            )
        )
        for rule in checked.findings:
            self._ledgers[Finding].add(Finding(file, piece.line, checked.resource_type, identity, rule))
        if status == MAPPED and self._is_identified(checked):
            self._identify(file, checked, identity)

    def _refuse(self, file: int, piece: Piece, checked: Checked, digest: str | None) -> None:
        identity = checked.id or (id_from(piece.full_url) if checked.resource_type else None)
        self._enter(file, piece, checked, identity, digest, QUARANTINED)

    def _is_identified(self, checked: Checked) -> bool:
        return checked.resource_type in self._identified(str(checked.fhir_version))

    def _identify(self, file: int, checked: Checked, identity: str | None) -> None:
        for system, value in _identifiers(checked.resource):
            self._ledgers[Identifier].add(Identifier(file, checked.resource_type, identity, system, value))

    def _take_contained(
        self,
        file: int,
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
        piece = Piece(owner.line, data, scope=owner.scope, part=self._next_part())
        digest = hashlib.sha256(data).hexdigest()
        if checked.rule:
            rule = f"contained:{checked.rule}"
            finding = Finding(file, owner.line, owner_checked.resource_type, owner_id, rule)
            self._ledgers[Finding].add(finding)
            self._enter(file, piece, checked, identity, digest, QUARANTINED, owner.part)
        elif not checked.is_asked_for or not checked.id:
            self._enter(file, piece, checked, identity, digest, NOT_ASKED_FOR, owner.part)
        elif not self._write(file, piece, checked, with_id(data, identity)):
            unreadable = structs.replace(checked, rule=UNREADABLE)
            self._enter(file, piece, unreadable, identity, digest, QUARANTINED, owner.part)
        else:
            self._enter(file, piece, checked, identity, digest, MAPPED, owner.part)
            self._alias_contained(file, siblings, owner_key, identity, checked)

    def _alias_contained(
        self, file: int, siblings: list[msgspec.Raw], owner_key: str, identity: str, checked: Checked
    ) -> None:
        """`#x` means the same within the owner and within what it contains; `#` alone is the owner."""
        key = f"{checked.resource_type}/{identity}"
        self._alias(file, identity, key)
        self._alias(file, f"{key}#", owner_key)
        for raw in siblings:
            other = self._checker.check(bytes(raw))
            if other.id and other.resource_type:
                other_key = f"{other.resource_type}/{owner_key}#{other.id}"
                self._alias(file, f"{key}#{other.id}", other_key)

    def _alias(self, file: int, alias: str, key: str) -> None:
        self._ledgers[LocalAlias].add(LocalAlias(file, alias, key))


def ledger_path(work: Path, kind: type[Row]) -> Path:
    """Where a router keeps a ledger in its folder."""
    return work / f"{kind.__name__}.ndjson"


def _is_odd(data: bytes, pieces: Sequence[Piece]) -> bool:
    """Whether a number in the text of the pieces may need a finding, or a type stand twice in one of them."""
    return (
        data.count(TYPE_KEY) > sum([TYPE_KEY in piece.data for piece in pieces])
        or (b"\\" in data and has_escaped_letter(data))
        or may_be_imprecise(data)
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
