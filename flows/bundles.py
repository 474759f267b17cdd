"""Bundles: their entries as pieces.

A Bundle is read at once where every entry can be and no key may stand twice; else each entry for itself, so that
the wrong one is refused alone.
"""

import re
from typing import Any

import msgspec
from msgspec import UNSET

from flows.pieces import Piece, is_utf8
from mappers.json_keys import Buffer, has_key_twice

ENTRY, FULL_URL, RESOURCE = b"entry", b"fullUrl", b"resource"
RESOURCE_BEGINS = re.compile(rb'"resource"\s*:\s*')


class Bundle(msgspec.Struct):
    """What says that an object is a Bundle, and its entries as they stand."""

    resourceType: Any = None  # noqa: N815
    entry: list[msgspec.Raw] | None = None


class Entry(msgspec.Struct, gc=False):
    """An entry of a Bundle: what Cove reads of it."""

    fullUrl: Any = None  # noqa: N815
    resource: msgspec.Raw | msgspec.UnsetType = UNSET
    request: Any = None
    response: msgspec.Raw | msgspec.UnsetType = UNSET


class _Entries(msgspec.Struct, gc=False):
    resourceType: Any = None  # noqa: N815
    entry: list[Entry] | None = None


class _Response(msgspec.Struct):
    outcome: msgspec.Raw


bundle_decoder = msgspec.json.Decoder(Bundle)
_entries = msgspec.json.Decoder(_Entries)
_entry = msgspec.json.Decoder(Entry)


def is_bundle(data: bytes) -> bool:
    """Whether the text is a Bundle, however its type's name is spelt."""
    try:
        return bool(bundle_decoder.decode(data).resourceType == "Bundle")
    except (ValueError, RecursionError):
        return False


def bundle_pieces(data: bytes, line: int, scope: str) -> list[Piece]:
    """The entries of a Bundle that is itself a line or an entry: all have its place, and a scope of their own."""
    entries = entries_at_once(data)
    if entries is not None:
        return [piece_of(entry, line, scope) for entry in entries]
    if has_key_twice(data, ENTRY):
        return [Piece(line, rule="unreadable")]
    try:
        bundle = bundle_decoder.decode(data)
    except ValueError:
        return [Piece(line, rule="bundle")]
    return [entry_piece(bytes(raw), line, scope) for raw in bundle.entry or ()]


def entries_at_once(text: Buffer) -> list[Entry] | None:
    """The entries of a Bundle. None where it is none, where an entry is wrong, and where it has no entries, or a
    key that counts may stand twice.
    """
    try:
        bundle = _entries.decode(text)
    except (ValueError, RecursionError):
        return None
    entries = bundle.entry or []
    if bundle.resourceType != "Bundle":
        return None
    around = _around_resources(text, entries)
    return entries if around is not None and _has_keys_once(around, entries) else None


def _around_resources(text: Buffer, entries: list[Entry]) -> bytes | None:
    """All of a Bundle's text but the resources: small, and the only place of its keys and those of its entries.

    None where the resources don't follow one another as values of a key with that name.
    """
    around, at = bytearray(), 0
    find = RESOURCE_BEGINS.search
    for entry in entries:
        if entry.resource is UNSET:
            continue
        resource = bytes(entry.resource)
        found = find(text, at)
        if found is None:
            return None
        begin = found.end()
        end = begin + len(resource)
        # Compared as bytes: a view of memory is compared by one item after the other.
        if bytes(text[begin:end]) != resource:
            return None
        around += text[at:begin]
        at = end
    return bytes(around + text[at:])


def _has_keys_once(around: bytes, entries: list[Entry]) -> bool:
    """Whether each name stands there as often as it was read as a key, and none may be spelt with escapes."""
    return (
        b"\\" not in around
        and is_utf8(around)
        and around.count(b'"entry"') == 1
        and around.count(b'"resource"') == sum(entry.resource is not UNSET for entry in entries)
        and around.count(b'"fullUrl"') == sum(entry.fullUrl is not None for entry in entries)
    )


def entry_piece(data: bytes, line: int, scope: str) -> Piece:
    """The resource of a Bundle's entry, or its outcome, or the deletion that it tells of."""
    if not is_utf8(data):
        return Piece(line, rule="encoding")
    if has_key_twice(data, FULL_URL, RESOURCE):
        return Piece(line, rule="unreadable")
    try:
        entry = _entry.decode(data)
    except msgspec.ValidationError:
        return Piece(line, rule="not-an-entry")
    except (ValueError, RecursionError):
        return Piece(line, rule="not-json")
    return piece_of(entry, line, scope)


def piece_of(entry: Entry, line: int, scope: str) -> Piece:
    """The same of an entry that was read."""
    url = entry.fullUrl if isinstance(entry.fullUrl, str) else None
    resource = b"" if entry.resource is UNSET else bytes(entry.resource)
    told = b"" if entry.response is UNSET else bytes(entry.response)
    if not is_utf8(resource):
        return Piece(line, rule="encoding")
    try:
        response = msgspec.json.decode(told) if told else None
    except msgspec.ValidationError:
        return Piece(line, rule="not-an-entry")
    except (ValueError, RecursionError):
        return Piece(line, rule="not-json")
    if isinstance(entry.request, dict) and entry.request.get("method") == "DELETE":
        # Some servers repeat in a history what was deleted: it is no resource that they send.
        return Piece(
            line,
            full_url=url,
            deleted=_text(entry.request, "url") or "",
            deleted_at=_text(response, "lastModified"),
        )
    if resource and resource != b"null":
        return Piece(line, resource, url, scope=scope)
    if isinstance(response, dict) and isinstance(response.get("outcome"), dict):
        return Piece(line, bytes(msgspec.json.decode(told, type=_Response).outcome), url)
    return Piece(line, rule="no-resource")


def _text(value: Any, key: str) -> str | None:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
