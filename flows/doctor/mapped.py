"""What a load would make of a few resources: mapped by the views of their type, or quarantined, and by which rule."""

from __future__ import annotations

import functools
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.doctor.lines import Line, counted, fail, listed, ok, warn
from flows.errors import UserError
from flows.loading_step import bundled_views
from flows.view_query import AskedView, ask_view
from flows.viewing import Output, write_rows

# The models of resources are made when they are first used, which two threads can't do at once.
_ONE_AT_A_TIME = threading.Lock()
CODE_MAPS = "ConceptMap"  # read by every load, without a view


@dataclass(frozen=True)
class Tried:
    """How many resources of a type there were, how many are quarantined, and by which rules."""

    number: int
    quarantined: int
    rules: tuple[str, ...] = ()
    has_view: bool = True


def try_views(resource_type: str, files: list[Path], work: Path) -> Tried:
    """Puts the files' resources of a type through its views, as a load does; the rows are thrown away.

    `work` is an empty folder for what is under way.
    """
    with _ONE_AT_A_TIME:
        return _try_views(resource_type, files, work)


def _try_views(resource_type: str, files: list[Path], work: Path) -> Tried:
    views = _views_of(resource_type)
    number, quarantined, rules = 0, 0, set[str]()
    for asked in views:
        with TemporaryDirectory(dir=work) as folder:
            output = Output(Path(folder) / "rows.parquet", sys.stdout)
            try:
                tally = write_rows(asked, files, output, Path(folder))
            except UserError:
                # A column of one value that the resource gives several: the load quarantines it.
                number, quarantined = max(number, 1), max(quarantined, 1)
                rules.add(f"several values for a column of {asked.view.name}")
                continue
        number = max(number, tally.mapped + tally.refused)
        quarantined = max(quarantined, tally.refused)
        rules |= set(tally.quarantined)
    return Tried(number, quarantined, tuple(sorted(rules)), bool(views))


_bundled = functools.cache(bundled_views)


@functools.cache
def _views_of(resource_type: str) -> tuple[AskedView, ...]:
    """The compiled views of a type, which are the same for every site."""
    return tuple(ask_view(Path(view.file)) for view in _bundled() if view.resource == resource_type)


def mapped_line(resource_type: str, tried: Tried) -> Line:
    """The line of a type that has resources. Rules name fields, never values."""
    remedy = "docs/files.md tells of the rule; tell the hospital, or such resources count nowhere"
    if not tried.quarantined:
        return ok(resource_type, "mapped")
    share = f"{tried.quarantined} of {counted(tried.number, 'resource')} looked at"
    found = f"{share} quarantined by rule {listed(tried.rules)}"
    return (fail if tried.quarantined == tried.number else warn)(resource_type, found, remedy)


def unviewed_line(resource_type: str) -> Line:
    """The line of a type that has resources, and that no view takes."""
    if resource_type == CODE_MAPS:
        return ok(resource_type, "there: it translates the site's codes")
    return warn(
        resource_type, "there, but no view takes it: it lands and isn't mapped", "leave it out of `types`"
    )
