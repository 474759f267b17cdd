"""One site's checks, in the order in which a pull meets what they check; what failed ends what depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.config import Site
from flows.doctor.asking import in_a_minute
from flows.doctor.authorised import (
    accepted_line,
    clock_line,
    scope_line,
    token_failure,
    token_line,
)
from flows.doctor.drop import drop_lines
from flows.doctor.lines import Line, failed, ok, warn
from flows.doctor.samples import sample_lines, take_samples
from flows.doctor.secrets import secret_lines
from flows.doctor.server import Met, capability_lines, capable_line, meet
from flows.doctor.zone import zone_line
from flows.pull.auth import authorizer_for
from flows.pull.clock import Clock
from flows.pull.failures import SiteFailure
from flows.pull.http import Connection
from flows.pull.members import GROUP
from flows.pull.politeness import is_open
from flows.pull.site import types_of
from flows.pull.urls import told


def site_lines(configured: Site, home: Path, clock: Clock, work: Path) -> Iterator[Line]:
    """The lines of a site; `work` is an empty folder for what is under way."""
    if configured.source == "files":
        yield from drop_lines(configured, home, clock, work)
        return
    secrets = list(secret_lines(configured, clock.now()))
    yield from secrets
    yield from _window_lines(configured, clock)
    site = in_a_minute(configured)
    has_secrets = all(line.verdict != "fail" for line in secrets)
    try:
        plain = Connection(site, clock)
        met = meet(plain)
    except SiteFailure as failure:
        yield failed("reachable", failure)
        return
    yield ok("reachable", f"{told(site.url or '')} answers")
    if not has_secrets:
        yield clock_line(site, met.ahead, None)
        yield capable_line(site, met)
        yield warn(
            "not tried", "what needs the credentials", "put the secrets right, and run `cove doctor` again"
        )
        return
    yield from _with_credentials(site, plain, met, work)


def _with_credentials(site: Site, plain: Connection, met: Met, work: Path) -> Iterator[Line]:
    types = types_of(site)
    authorizer = authorizer_for(site, plain, types)
    failure = token_failure(authorizer)
    yield clock_line(site, met.ahead, failure)
    if failure is not None:
        yield token_line(failure, met.ahead)
        yield capable_line(site, met)
        return
    connection = plain.with_authorizer(authorizer)
    samples = take_samples(connection, types, work)
    yield accepted_line(site, samples)
    if any(sample.status == 401 for sample in samples):
        yield capable_line(site, met)
        return
    if (scopes := scope_line(authorizer, types, samples)) is not None:
        yield scopes
    if met.status in (401, 403):
        met = _met_again(connection, met)
    of_groups = plain.with_authorizer(authorizer_for(site, plain, (GROUP,)))
    yield from capability_lines(connection, of_groups, met, types, samples)
    yield from sample_lines(site, samples, types)
    yield zone_line(site, (sample.text for sample in samples))


def _met_again(connection: Connection, met: Met) -> Met:
    """What the server says of itself to those it knows."""
    try:
        return meet(connection, has_credentials=True)
    except SiteFailure:
        return met


def _window_lines(site: Site, clock: Clock) -> Iterator[Line]:
    if site.window is not None:
        begin, end = site.window
        zone = site.timezone or "UTC"
        now = (
            "now is within it"
            if is_open(site, clock)
            else "now is outside of it: a pull would ask for nothing"
        )
        yield ok("window", f"{begin:%H:%M} to {end:%H:%M} {zone}; {now}")
