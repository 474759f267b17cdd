"""The step that brings in what is new at the configured sites: their resources, and their code maps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from flows.config import Config
from flows.errors import SourceError
from flows.home import Home, open_home
from flows.loading_step import Told
from flows.maps import land_maps


def pull_configured(
    config: Config,
    root: Path,
    started_at: dt.datetime,
    *,
    full: bool,
    tell: Callable[[str], None],
    stops: bool = True,
) -> Told:
    """Pulls from every site and lands the code maps; a site that fails is one of the failures.

    Raises SourceError, where `stops`, when sites failed and nothing has ever landed: there is nothing to go on
    with.
    """
    # Imported late: it brings what speaks to servers, which a run on files doesn't need.
    from flows.pull.pulling import Clock, pull_sites

    home = open_home(root)
    pulled = pull_sites(config, home, full=full, clock=Clock(), progress=tell)
    if stops and pulled.failures and not _has_landed(home):
        raise SourceError("\n".join(pulled.failures))
    maps = land_maps(config, root, started_at)
    return Told((*maps.notes, *pulled.notes), pulled.problems, pulled.failures)


def _has_landed(home: Home) -> bool:
    return next(home.landing.glob("*/*.json"), None) is not None
