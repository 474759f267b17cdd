"""What is wrong with a comparator in view of the rest of the protocol."""

from __future__ import annotations

from collections.abc import Iterator

from studies.criteria_checks import Problem
from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import Comparator, Protocol


def comparator_problems(protocol: Protocol) -> Iterator[Problem]:
    """Every problem of the section `comparators`."""
    counted = counted_levels(protocol)
    for name, comparator in protocol.comparators.items():
        yield from _problems(("comparators", name), comparator, counted)


def counted_levels(protocol: Protocol) -> dict[str, list[str]]:
    """What a published control may be compared with: analyses that count treated persons, and their levels."""
    counted = {"death": ["all"]}
    if protocol.response:
        counted |= {"response.best": protocol.response.levels}
        counted |= {f"response.{outcome}": [] for outcome in protocol.response.outcomes}
    return counted


def _problems(path: KeyPath, comparator: Comparator, counted: dict[str, list[str]]) -> Iterator[Problem]:
    yield from level_problems(path, comparator.analysis, comparator.level, counted)
    if comparator.events > comparator.n:
        yield (*path, "events"), "more events than persons; write at most `n`"


def level_problems(
    path: KeyPath, analysis: str, level: str | None, counted: dict[str, list[str]]
) -> Iterator[Problem]:
    """What is wrong with an analysis and level that should be among `counted`."""
    if analysis not in counted:
        yield (
            (*path, "analysis"),
            f'"{analysis}" counts no persons of this protocol; {did_you_mean(analysis, counted)}',
        )
    elif level is None and counted[analysis]:
        yield (*path, "level"), f"missing; write one of {', '.join(counted[analysis])}"
    elif level is not None and not counted[analysis]:
        yield (*path, "level"), f"{analysis} has no levels; remove it"
    elif level is not None and level not in counted[analysis]:
        yield (
            (*path, "level"),
            f'"{level}" is no level of {analysis}; {did_you_mean(level, counted[analysis])}',
        )
