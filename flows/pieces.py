"""One resource as received, and whether text can be one."""

import msgspec

from mappers.json_keys import Buffer


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One resource as received; or, with a `rule`, what was there and can't be one; or a deletion.

    `line` is the line or the entry; `part` is 0 for its own resource, and numbers those within it. `scope` names the
    Bundle within which a `urn:` is meant, and is the same in no other Bundle of the file. `deleted` is the URL of a
    deletion's request, `deleted_at` its time as text. `is_only_counted` where nobody asked for the resource, whatever
    its type.
    """

    line: int
    data: bytes = b""
    full_url: str | None = None
    rule: str | None = None
    deleted: str | None = None
    deleted_at: str | None = None
    scope: str | None = None
    is_only_counted: bool = False
    part: int = 0


_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def is_object(text: Buffer) -> bool:
    """Whether the text is a JSON object."""
    try:
        _object.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def item_piece(data: bytes, line: int) -> Piece:
    """An element of an array, or a resource that is a file of its own."""
    return Piece(line, data) if is_utf8(data) else Piece(line, rule="encoding")


def is_utf8(data: bytes) -> bool:
    """Whether the bytes are text in UTF-8."""
    if data.isascii():
        return True
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
