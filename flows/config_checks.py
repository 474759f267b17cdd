"""Whether the keys of a site fit each other: what its source and its authorization need, and don't use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from flows.config_values import is_loopback

# (key, what is wrong with it): the end of the sentence `site "a" has …`.
Said = tuple[str, str]
Site = Mapping[str, Any]

# What each kind of authorization needs, and what it may have besides.
CREDENTIALS = {
    "smart": (("client_id", "private_key"), ("scope", "token_url")),
    "bearer": (("token",), ()),
    "basic": (("user", "password"), ()),
    "mtls": (("cert", "key"), ()),
    "none": ((), ()),
}
EXAMPLES = {
    "url": 'url = "https://host/fhir"',
    "path": 'path = "/srv/drop"',
    "client_id": 'client_id = "…"',
    "private_key": 'private_key = "file:PATH"',
    "token": 'token = "env:NAME"',
    "user": 'user = "…"',
    "password": 'password = "env:NAME"',
    "cert": 'cert = "file:PATH"',
    "key": 'key = "file:PATH"',
}
# Keys that one source has, and others would silently not use.
ONLY_FOR = {
    "url": ("bulk", "rest"),
    "path": ("files",),
    "group": ("bulk",),
    "level": ("bulk",),
    "type_filter": ("bulk",),
    "include": ("rest",),
    "count": ("rest",),
    "settle": ("files",),
}


def problems_of(site: Site, written: Site) -> Iterator[Said]:
    """What doesn't fit, by key. `site` has the values that are right, `written` every key that is there.

    A key that is there and wrong has been told of already: it is not also missing.
    """
    for check in (_names, _source, _credentials, _plain_http, _level, _deletions):
        yield from check(site, written)


def _names(site: Site, written: Site) -> Iterator[Said]:
    for key, example in (("name", 'name = "…"'), ("source", 'source = "bulk", "rest" or "files"')):
        if key not in written:
            yield key, f"no {key}; add {example}"


def _source(site: Site, written: Site) -> Iterator[Said]:
    source = site.get("source")
    if source is None:
        return
    needed = "path" if source == "files" else "url"
    if needed not in written:
        yield needed, f'no {needed}, which source "{source}" needs; add {EXAMPLES[needed]}'
    for key, sources in ONLY_FOR.items():
        if key in written and source not in sources:
            named = " or ".join(f'"{name}"' for name in sources)
            yield key, f'{key}, which source "{source}" doesn\'t use (only {named} does); take it out'


def _credentials(site: Site, written: Site) -> Iterator[Said]:
    auth = site.get("auth", "none")
    if "auth" in written and "auth" not in site:
        return
    needed, allowed = CREDENTIALS[auth]
    for key in needed:
        if key not in written:
            yield key, f'no {key}, which auth "{auth}" needs; add {EXAMPLES[key]}'
    for other, (keys, further) in CREDENTIALS.items():
        for key in (*keys, *further):
            if key in written and key not in (*needed, *allowed):
                yield key, f'{key}, but auth "{auth}"; write auth = "{other}", or take {key} out'
    if auth != "none" and site.get("source") == "files":
        yield "auth", f'auth "{auth}", which source "files" doesn\'t use; take it out'


def _plain_http(site: Site, written: Site) -> Iterator[Said]:
    auth = site.get("auth", "none")
    for key in ("url", "token_url"):
        parts = urlsplit(site.get(key, ""))
        if parts.scheme != "http" or auth == "none":
            continue
        if auth == "mtls":
            yield key, f'{key} with http, but auth "mtls"; a certificate needs https'
        elif not is_loopback(parts):
            yield key, f'{key} with http, but auth "{auth}"; credentials go over https only'


def _level(site: Site, written: Site) -> Iterator[Said]:
    level = site.get("level")
    if level == "group" and "group" not in written:
        yield "level", 'level "group" but no group; add group = "…", the id of the Group'
    if level in ("patient", "system") and "group" in written:
        yield "level", f'level "{level}" and a group; take one of them out'


def _deletions(site: Site, written: Site) -> Iterator[Said]:
    source, deletions = site.get("source"), site.get("deletions")
    if source is None or deletions is None:
        return
    if source == "files" and deletions != "none":
        # A drop is an increment: what it lacks isn't deleted, and it has no history.
        yield "deletions", f'deletions "{deletions}", which source "files" doesn\'t tell; take it out'
    elif deletions == "manifest" and source != "bulk":
        yield "deletions", f'deletions "manifest", which source "{source}" doesn\'t give; use another'
