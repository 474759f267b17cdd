"""`cove doctor`: the checks of every site, side by side, told in the configuration's order."""

from __future__ import annotations

import signal
import tempfile
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from flows.config import Config, Site
from flows.doctor.lines import Line, Verdict, counted, fail
from flows.doctor.place import home_lines
from flows.doctor.site import site_lines
from flows.errors import SourceError, UserError
from flows.maps import check_maps
from flows.pull.clock import Clock
from flows.pull.failures import SiteFailure
from flows.run import check_drops
from studies.nearest import did_you_mean

AT_ONCE = 8  # sites
HOME = "(home)"  # no site's name begins so


def run_doctor(config: Config, home: Path, name: str | None, stream: TextIO) -> int:
    """Writes the lines of the home and of each site (or the named one) to the stream; gives the exit code.

    Nothing is written in the home. Raises UserError where the configuration doesn't fit.
    """
    config = _chosen(config, name)
    check_drops(config, home)
    check_maps(config)
    verdicts = {HOME: _tell(HOME, list(home_lines(home)), stream)}
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="cove-doctor-", ignore_cleanup_errors=True) as work:
        turns = threading.BoundedSemaphore(AT_ONCE)
        waiting = [
            (site.name, _started(turns, site, home, clock, Path(work) / str(number)))
            for number, site in enumerate(config.sites)
        ]
        try:
            for owner, future in waiting:
                verdicts[owner] = _tell(owner, future.result(), stream)
        except (KeyboardInterrupt, SystemExit):
            # Whoever is about to ask for more then ends.
            clock.stopped.set()
            _end_undisturbed()
            raise
    stream.write(f"{_summary(verdicts)}\n")
    return SourceError.exit_code if any("fail" in found for found in verdicts.values()) else 0


def _end_undisturbed() -> None:
    """A second Ctrl-C must not leave samples, which are patients' data, on the disk."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _chosen(config: Config, name: str | None) -> Config:
    if name is None:
        return config
    sites = tuple(site for site in config.sites if site.name == name)
    if not sites:
        names = [site.name for site in config.sites]
        raise UserError(f"--site {name}: no such site in {config.path}; {did_you_mean(name, names)}")
    return replace(config, sites=sites)


def _started(
    turns: threading.BoundedSemaphore, site: Site, home: Path, clock: Clock, work: Path
) -> Future[list[Line]]:
    """A site's lines to come. Its thread is a daemon: who interrupts waits for no server."""
    future: Future[list[Line]] = Future()

    def work_on() -> None:
        try:
            with turns:
                future.set_result(_lines(site, home, clock, work))
        except BaseException as error:  # noqa: BLE001 - handed on to who waits for the lines
            future.set_exception(error)

    threading.Thread(target=work_on, daemon=True).start()
    return future


def _lines(site: Site, home: Path, clock: Clock, work: Path) -> list[Line]:
    lines = []
    try:
        work.mkdir()
        for line in site_lines(site, home, clock, work):
            lines.append(line)
    except SiteFailure as failure:
        lines.append(fail(failure.step, failure.happened, failure.remedy))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        lines.append(
            fail("disk", f"{work.parent} can't be written ({reason})", "free space there, or set TMPDIR")
        )
    return lines


def _tell(owner: str, lines: list[Line], stream: TextIO) -> set[Verdict]:
    stream.writelines(f"{line.text(owner)}\n" for line in lines)
    stream.flush()
    return {line.verdict for line in lines}


def _summary(verdicts: dict[str, set[Verdict]]) -> str:
    """How many sites are ready for a pull, and which aren't."""
    not_ready = [owner for owner, found in verdicts.items() if "fail" in found]
    warned = [owner for owner, found in verdicts.items() if "warn" in found and "fail" not in found]
    sites = len(verdicts) - 1
    ready = sites - len([owner for owner in not_ready if owner != HOME])
    parts = [f"{counted(sites, 'site')}: {ready} ready"]
    if warned:
        parts.append(f"warnings for {', '.join(warned)}")
    if not_ready:
        parts.append(f"not ready: {', '.join(not_ready)}")
    return "; ".join(parts)
