"""One resource of each type that a site's pull would bring: fetched by search, and put through its views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import requests

from flows.config import Site
from flows.doctor.lines import Line, failed, listed, ok, warn
from flows.doctor.lines import fail as failing
from flows.doctor.mapped import Tried, mapped_line, try_views, unviewed_line
from flows.pull.bundles import read_bundle
from flows.pull.downloads import download
from flows.pull.failures import Refused, SiteFailure
from flows.pull.http import Ask, Connection
from flows.pull.receiving import Received
from flows.pull.rest import search_url
from flows.pull.urls import told

A_FEW = 20  # looked at where the first resource is quarantined
NOT_OFFERED = {400, 404, 405, 406, 410, 501}
MOST_FAILED = 2  # types: then the server isn't well, and the others aren't asked for


@dataclass(frozen=True)
class Sample:
    """What came of a type: `tried` where the server answered, else the status that it refused with, or a failure."""

    resource_type: str
    tried: Tried | None = None
    entries: int = 0
    text: bytes = b""
    status: int | None = None
    failure: SiteFailure | None = None

    @property
    def is_there(self) -> bool:
        """Whether the server let us look, be there resources or none."""
        return self.tried is not None


def take_samples(connection: Connection, types: Sequence[str], work: Path) -> list[Sample]:
    """A sample of each type, in order; fewer where it is of no use to go on. `work` is for what is under way."""
    samples: list[Sample] = []
    for number, name in enumerate(types):
        folder = work / str(number)
        folder.mkdir()
        samples.append(_sample(connection, name, folder))
        if samples[-1].status == 401 or sum(one.failure is not None for one in samples) >= MOST_FAILED:
            break
        if connection.site.source == "bulk" and has_no_search(samples):
            break
    return samples


def has_no_search(samples: Sequence[Sample]) -> bool:
    """Whether the server seems to offer exports only: it has refused to search the first types."""
    return len(samples) >= 3 and all(one.status in NOT_OFFERED for one in samples)


def _sample(connection: Connection, name: str, folder: Path) -> Sample:
    try:
        sample = _fetched(connection, name, 1, folder)
        if sample.tried and sample.tried.quarantined:
            # The first may be a rare one.
            return _fetched(connection, name, A_FEW, folder)
    except Refused as refused:
        return Sample(name, status=refused.status)
    except SiteFailure as failure:
        return Sample(name, failure=failure)
    return sample


def _fetched(connection: Connection, name: str, count: int, folder: Path) -> Sample:
    url, path, entries = sample_url(connection.site, name, count), folder / f"{count}.json", 0

    def check(part: Path, received: Received, response: requests.Response) -> None:
        nonlocal entries
        found: list[int] = []
        read_bundle(part, told(url), lambda entry: found.append(len(entry)))
        entries = len(found)

    download(connection, Ask(url, f"search of {name}"), path, check)
    return Sample(name, try_views(name, [path], folder), entries, path.read_bytes())


def sample_url(site: Site, name: str, count: int) -> str:
    """The pull's own search of a type, for so many resources; of an export with a filter, the filter."""
    filters = [one for one in site.type_filter if one.partition("?")[0] == name and "?" in one]
    if filters:
        return f"{site.url}/{filters[0]}&_count={count}"
    return search_url(replace(site, count=count), name, None)


def sample_lines(site: Site, samples: Sequence[Sample], types: Sequence[str]) -> list[Line]:
    """A line for each type."""
    if site.source == "bulk" and has_no_search(samples):
        found = f"the server has no search (it answered {samples[0].status})"
        return [
            warn(
                "samples", found, "what the first export brings will be seen by `cove load` and `cove check`"
            )
        ]
    lines = [_line(site, sample) for sample in samples]
    left = types[len(samples) :]
    if left:
        lines.append(
            warn("samples", f"not asked for, after what failed: {listed(left)}", "run `cove doctor` again")
        )
    return lines


def _line(site: Site, sample: Sample) -> Line:
    name = sample.resource_type
    if sample.failure is not None:
        return failed(name, sample.failure)
    if sample.tried is None:
        return _refused_line(site, name, sample.status or 0)
    if not (sample.tried.number if sample.tried.has_view else sample.entries):
        return _none_line(site, name)
    return mapped_line(name, sample.tried) if sample.tried.has_view else unviewed_line(name)


def _none_line(site: Site, name: str) -> Line:
    if name == "Patient" or name in (site.types or ()):
        return warn(name, "none there", "if the hospital has some, ask it for access to them")
    return ok(name, "none there")


def _refused_line(site: Site, name: str, status: int) -> Line:
    if site.source == "bulk" and status != 401:
        found = f"can't be looked at without an export (the search was answered {status})"
        return warn(name, found, "see that the export has it, by `cove check` after the first pull")
    if status == 401:
        return failing(name, "not allowed (401)", "see `authorised`")
    if status == 403:
        return failing(name, "not allowed (403)", "ask the hospital for access, or name `types` without it")
    return failing(
        name, f"the server has no such search ({status})", "name `types` without it, or ask the hospital"
    )
