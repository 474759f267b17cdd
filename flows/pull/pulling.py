"""Pulls from every site of a configuration, side by side; one that fails stops no other."""

from __future__ import annotations

import contextlib
import fcntl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flows.config import Config, Site
from flows.errors import SourceError
from flows.home import Home
from flows.pull.auth import check_secrets
from flows.pull.clock import Clock
from flows.pull.site import SiteResult, pull_site

__all__ = ["Clock", "Pulled", "pull_sites"]

MOST_SITES = 8  # at once; a site whose server takes its time holds no other up


@dataclass(frozen=True)
class Pulled:
    """What a pull gave: `problems` end a run with exit code 1, `failures` (a line a site) with 3."""

    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def pull_sites(
    config: Config, home: Home, *, full: bool, clock: Clock, progress: Callable[[str], None]
) -> Pulled:
    """Lands what the sites have that is new, or everything where `full`.

    Raises UserError, before any site is asked, where a secret isn't there; SourceError when another pull is
    at work on the home.
    """
    for site in config.sites:
        check_secrets(site)
    say = _in_turn(progress)
    started_at = clock.now()
    with pulling(home):

        def pull(site: Site) -> SiteResult:
            return pull_site(site, home, full=full, clock=clock, started_at=started_at, say=say)

        with ThreadPoolExecutor(min(MOST_SITES, max(1, len(config.sites)))) as pool:
            try:
                results = list(pool.map(pull, config.sites))
            except BaseException:
                # Else the pool would wait for exports that take hours.
                clock.stopped.set()
                raise
    return Pulled(
        tuple(note for result in results for note in result.notes),
        tuple(problem for result in results for problem in result.problems),
        tuple(result.failure for result in results if result.failure is not None),
    )


@contextlib.contextmanager
def pulling(home: Home) -> Iterator[None]:
    """Holds the home for one pull; the system lets go of it when the process ends, however it does."""
    with (home.root / ".pull.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SourceError(
                f"{home.root}: another pull is at work on this home; run again when it has ended"
            ) from error
        yield


def _in_turn(progress: Callable[[str], None]) -> Callable[[str], None]:
    lock = threading.Lock()

    def say(text: str) -> None:
        with lock:
            progress(text)

    return say
