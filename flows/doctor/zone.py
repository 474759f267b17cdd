"""Whether a site's days can be told: instants written with `Z` lose their place's day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from flows.config import Site
from flows.doctor.lines import Line, listed, ok, warn

INSTANT = re.compile(rb'"([A-Za-z]+)"\s*:\s*"\d{4}-\d\d-\d\dT[\d:.]+Z"')
# When the server wrote, which dates nothing of a patient.
OF_THE_SERVER = {b"lastUpdated", b"issued", b"timestamp", b"lastModified"}


def zone_line(site: Site, texts: Iterable[bytes]) -> Line:
    """The line about the site's zone, by the resources that were looked at."""
    if site.timezone is not None:
        return ok("time zone", f"{site.timezone}, by `timezone`")
    fields = sorted(set(_utc_fields(texts)))
    if not fields:
        return ok("time zone", "none is set, and no instant with Z was seen")
    return warn(
        "time zone",
        f"instants are written with Z ({listed(fields)}), so that days are those of UTC",
        'where the hospital isn\'t in UTC, give its zone: timezone = "Area/City"',
    )


def _utc_fields(texts: Iterable[bytes]) -> Iterator[str]:
    for text in texts:
        for name in INSTANT.findall(text):
            if name not in OF_THE_SERVER:
                yield name.decode()
