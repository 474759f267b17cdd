"""Small changes to the text of a resource: its id, its line breaks, a field that R5 spells its own way."""

import re

import msgspec

from mappers.shape_check import Checked

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


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
    data = with_spaces(data)
    if checked.fhir_version == "R5" and checked.resource_type == "MedicationAdministration":
        data = _with_standard_spelling(data)
    return data


def with_spaces(data: bytes) -> bytes:
    """The JSON with spaces for its line breaks, which are between tokens only: it has none within strings."""
    return data.replace(b"\n", b" ").replace(b"\r", b" ")


def _with_standard_spelling(data: bytes) -> bytes:
    """`occurrence[x]` as R5 itself spells it in MedicationAdministration: `occurence[x]`."""
    if b"occurrence" not in data:
        return data
    members = _members.decode(data)
    return msgspec.json.encode(
        {re.sub("^(_?)occurrence", r"\1occurence", name): v for name, v in members.items()}
    )
