"""The time zones of sites, kept in the home: a build without the configuration derives the same days as one with it."""

from __future__ import annotations

import json

from flows.config import Config
from flows.home import Home, write_whole


def time_zones(home: Home, config: Config | None) -> dict[str, str]:
    """The zone of each site that has one: as the configuration says, else as the one before it said."""
    path = home.root / "time_zones.json"
    if config is None:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    zones = {site.name: site.timezone for site in config.sites if site.timezone is not None}
    if zones or path.exists():
        write_whole(path, json.dumps(zones, ensure_ascii=False, sort_keys=True).encode())
    return zones
