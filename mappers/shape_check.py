"""Checks one resource against the shapes of its type, and says in which FHIR version it is written.

Almost every line is right, and msgspec says so in microseconds. A line that it refuses is walked field by
field, so that each fault is named: in a field that a view reads it costs the resource, elsewhere it is a
finding.
"""

import functools
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from mappers.faults import Fault, faults_of
from mappers.fhir_types import has_type
from mappers.fields import FieldPath, Repeat, is_on
from mappers.json_keys import has_key_twice
from mappers.shapes import decoder, fields_of

Reads = Callable[[str, str], frozenset[FieldPath]]

VERSIONS = ("R4B", "R5")
LONGEST = 16  # names in a rule; only extensions within extensions have more


class Checked(msgspec.Struct, frozen=True, gc=False):
    """What one resource is, and what is wrong with it.

    `rule` is why it can't be mapped (None where it can); `findings` are rules of faults that do no harm. A
    rule names fields, never values. `is_asked_for` is false where no view takes the type.
    """

    resource_type: str | None = None
    fhir_version: str | None = None
    id: str | None = None
    version_id: str | None = None
    last_updated: str | None = None
    rule: str | None = None
    findings: tuple[str, ...] = ()
    is_asked_for: bool = True
    contained: list[msgspec.Raw] | None = None
    resource: Any = None


class _Header(msgspec.Struct):
    resourceType: str  # noqa: N815
    id: Any = None
    meta: Any = None
    contained: Any = None


class ShapeChecker:
    """Checks resources of the asked-for types. `reads(version, type)` gives the field paths that views
    read.

    A resource is taken to be of the first of the `versions` in which it is right; each has such a type.
    """

    def __init__(
        self, resource_types: tuple[str, ...], reads: Reads, versions: tuple[str, ...] = VERSIONS
    ) -> None:
        self._types = resource_types
        self._reads = functools.cache(reads)
        self._versions = versions
        self.first_version = versions[0]
        self._decoders: dict[tuple[str, str], msgspec.json.Decoder[Any]] = {}
        # Decodes what is right in the first version and of a type that was met before, since reading the models
        # of a type takes long; raises ValueError or RecursionError for all else.
        self.decode = decoder(self.first_version, ()).decode
        self._met: tuple[str, ...] = ()
        # A number keeps its text, so that one beyond a double's range is seen as such.
        self._header = msgspec.json.Decoder(_Header, float_hook=Decimal)
        self._any = msgspec.json.Decoder(float_hook=Decimal)

    def check(self, data: bytes) -> Checked:
        """What the resource in `data` (UTF-8, checked before) is; never raises for what the data hold."""
        if has_key_twice(data, b"resourceType"):
            return Checked(rule="unreadable")
        try:
            resource = self.decode(data)
        except (ValueError, RecursionError):
            return self._check_slowly(data)
        if resource.f_contained and self._reads_within(self.first_version, type(resource).__name__):
            return self._check_slowly(data)
        return _right(resource, self.first_version, data)

    def _check_slowly(self, data: bytes) -> Checked:
        try:
            header = self._header.decode(data)
        except msgspec.ValidationError:
            return Checked(rule="not-a-resource")
        except RecursionError:
            return Checked(rule="too-deep")
        except ValueError:
            return Checked(rule="not-json")
        if header.resourceType not in self._types:
            return _not_asked_for(header)
        for version in self._untried(header.resourceType):
            try:
                resource = self._decoder(version, header.resourceType).decode(data)
                if not (resource.f_contained and self._reads_within(version, header.resourceType)):
                    return _right(resource, version, data)
            except RecursionError:
                return Checked(resource_type=header.resourceType, rule="too-deep")
            except ValueError:
                continue
        return self._faulty(header, data)

    def _untried(self, resource_type: str) -> Iterator[str]:
        """The versions in which the resource wasn't decoded: all of them for the first of its type."""
        if resource_type not in self._met:
            self._met += (resource_type,)
            self.decode = decoder(self.first_version, self._met).decode
            yield self.first_version
        yield from self._versions[1:]

    def _decoder(self, version: str, resource_type: str) -> msgspec.json.Decoder[Any]:
        key = (version, resource_type)
        if key not in self._decoders:
            self._decoders[key] = decoder(version, (resource_type,))
        return self._decoders[key]

    def _reads_within(self, version: str, resource_type: str) -> bool:
        """Whether a view reads resources within those of the type, which are else checked for themselves."""
        return any(_is_within(path) for path in self._reads(version, resource_type))

    def _faulty(self, header: _Header, data: bytes) -> Checked:
        """The resource with its faults, read in the version to which it is the least strange."""
        kind = header.resourceType
        try:
            value = self._any.decode(data)
            faults = {v: list(faults_of(v, kind, value)) for v in self._versions if has_type(v, kind)}
        except RecursionError:
            return Checked(resource_type=kind, rule="too-deep")
        except ValueError:
            return Checked(resource_type=kind, rule="not-json")
        version = min(faults, key=lambda v: _strangeness(faults[v]))
        reads = self._reads(version, kind)
        named = [fault for fault in faults[version] if fault.what != "unknown"]
        if not self._reads_within(version, kind):
            named = [fault for fault in named if not _is_within(fault.path)]
        fatal = [fault for fault in named if _is_fatal(fault) and _is_read(fault.path, reads)]
        rules = [_rule(kind, fault) for fault in named if fault not in fatal]
        if any(fault.what == "unknown" and not fault.path for fault in faults[version]):
            rules += [_rule(kind, Fault("version", (name,))) for name in self._mixed(version, kind, value)]
        meta = header.meta if isinstance(header.meta, dict) else {}
        return Checked(
            resource_type=kind,
            fhir_version=version,
            id=_text(header.id),
            version_id=_text(meta.get("versionId")),
            last_updated=_text(meta.get("lastUpdated")),
            rule=_rule(kind, fatal[0]) if fatal else None,
            findings=tuple(dict.fromkeys(rules)) + _precision(data),
            contained=_contained(data) if isinstance(header.contained, list) else None,
            resource=value,
        )

    def _mixed(self, version: str, kind: str, value: dict[str, Any]) -> list[str]:
        """Fields of another version that a view would read there: nobody reads them here."""
        own = fields_of(version, kind)
        others = [v for v in self._versions if v != version and has_type(v, kind)]
        known = {name: field.json_name for v in others for name, field in fields_of(v, kind).items()}
        read = {path[0] for v in others for path in self._reads(v, kind)}
        return sorted(
            name
            for name, inner in value.items()
            if name not in own and inner is not None and known.get(name) in read
        )


def _strangeness(faults: list[Fault]) -> tuple[int, int]:
    """A field that only one version knows says more than how many faults there are: a fault in it would
    else be gone, with its value, in the version that doesn't know it.
    """
    own = [fault for fault in faults if not _is_within(fault.path)]
    return sum(fault.what == "unknown" for fault in own), len(own)


def _is_fatal(fault: Fault) -> bool:
    return fault.what == "type" or (fault.what == "date" and not fault.is_understood)


def _is_within(path: FieldPath) -> bool:
    return any(isinstance(part, str) and part.startswith("ofType(") for part in path)


def _is_read(path: tuple[str, ...], reads: frozenset[FieldPath]) -> bool:
    if path in reads:
        return True
    patterns = (pattern for pattern in reads if any(isinstance(part, Repeat) for part in pattern))
    return any(is_on(path, pattern) for pattern in patterns)


def _rule(resource_type: str, fault: Fault) -> str:
    path = fault.path if len(fault.path) <= LONGEST else (*fault.path[:4], "…", *fault.path[-4:])
    return f"{fault.what}:{'.'.join((resource_type, *path))}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _right(resource: Any, version: str, data: bytes) -> Checked:
    meta = resource.f_meta
    return Checked(
        type(resource).__name__,
        version,
        resource.f_id,
        meta.f_versionId if meta else None,
        meta.f_lastUpdated if meta else None,
        None,
        _precision(data),
        True,
        resource.f_contained,
        resource,
    )


def _not_asked_for(header: _Header) -> Checked:
    meta = header.meta if isinstance(header.meta, dict) else {}
    return Checked(
        resource_type=header.resourceType,
        id=_text(header.id),
        version_id=_text(meta.get("versionId")),
        last_updated=_text(meta.get("lastUpdated")),
        is_asked_for=False,
    )


def _contained(data: bytes) -> list[msgspec.Raw]:
    return msgspec.json.decode(
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])["contained"], type=list[msgspec.Raw]
    )


_ALIKE = bytes.maketrans(b"123456789.", b"0000000000")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_LONG_NUMBER = re.compile(rb"(?<![\w.+-])-?([\d.]{16,})")


def may_be_imprecise(data: bytes) -> bool:
    """Whether sixteen digits in a row are there at all: rare, and found faster than numbers are."""
    return b"0000000000000000" in data.translate(_ALIKE)


def _precision(data: bytes) -> tuple[str, ...]:
    """A finding where a number needs more than the 15 digits that a double always keeps."""
    if not may_be_imprecise(data):
        return ()
    if b"\\" in data:
        data = _STRING.sub(b'""', data)
    for found in _LONG_NUMBER.finditer(data):
        # Without escapes, an even count of quotes before it means that it stands outside of strings.
        if _digits(found[1]) > 15 and data.count(b'"', 0, found.start()) % 2 == 0:
            return ("number-precision",)
    return ()


def _digits(number: bytes) -> int:
    """How many digits the number needs: without zeros in front, and without those at its end."""
    return len(number.replace(b".", b"").strip(b"0"))
