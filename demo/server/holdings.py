"""What a hospital's server holds over two months: every version of every resource, deletions among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from demo.hospitals.dialect import Resource

SEOUL = timezone(timedelta(hours=9))
FIRST_NIGHT = datetime(2021, 5, 1, 2, 0, tzinfo=SEOUL)
SECOND_NIGHT = datetime(2021, 6, 1, 2, 0, tzinfo=SEOUL)
LONG_BEFORE = FIRST_NIGHT - timedelta(days=60)
DAYS_BETWEEN = 28  # over which what changes is spread; all of them lie between the two nights


@dataclass(frozen=True)
class Version:
    """A version of a resource; `content` is None where it is the deletion."""

    type: str
    id: str
    number: int
    at: datetime
    content: Resource | None


@dataclass(frozen=True)
class Holding:
    """All versions, each resource's in their order."""

    versions: tuple[Version, ...]

    def newest(self, until: datetime) -> list[Version]:
        """The newest version of each resource at an instant, deletions too."""
        found = {(version.type, version.id): version for version in self.versions if version.at <= until}
        return list(found.values())

    def current(self, until: datetime) -> list[Version]:
        """The newest version of each resource that is there."""
        return [version for version in self.newest(until) if version.content is not None]


def holding(earlier: Sequence[Resource], current: Sequence[Resource]) -> Holding:
    """The versions that lead from what was held at the first night to what is held at the second."""
    before, now = _by_name(earlier), _by_name(current)
    changes = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    at = {name: _day(number) for number, name in enumerate(changes)}
    versions = [_version(name, 1, LONG_BEFORE, content) for name, content in before.items()]
    versions += [_version(name, 1 + (name in before), at[name], now.get(name)) for name in changes]
    return Holding(tuple(versions))


def instant(moment: datetime) -> str:
    """An instant as FHIR writes it."""
    return moment.isoformat(timespec="milliseconds")


def _by_name(resources: Sequence[Resource]) -> dict[tuple[str, str], Resource]:
    return {(resource["resourceType"], resource["id"]): resource for resource in resources}


def _day(number: int) -> datetime:
    return FIRST_NIGHT + timedelta(days=1 + number % DAYS_BETWEEN, hours=8)


def _version(name: tuple[str, str], number: int, at: datetime, content: Resource | None) -> Version:
    if content is None:
        return Version(*name, number, at, None)
    meta = {**content.get("meta", {}), "versionId": str(number), "lastUpdated": instant(at)}
    return Version(*name, number, at, {**content, "meta": meta})


def after(versions: Sequence[Version], since: datetime | None) -> Iterator[Version]:
    """Those after an instant; all of them, where none is given."""
    return (version for version in versions if since is None or version.at > since)
