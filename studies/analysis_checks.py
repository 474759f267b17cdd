"""Names that would stand for two things in results.csv, and what survival by an event is made from."""

from __future__ import annotations

from collections.abc import Iterator

from studies.criteria_checks import Problem
from studies.marked_yaml import KeyPath
from studies.protocol import OVERALL_SURVIVAL, Protocol

# What analyses of docs/results.md are named, up to the first full stop, in every study or where a part is on.
ANALYSES = (
    "attrition",
    "baseline",
    "cause_specific",
    "comparator",
    "control",
    "death",
    "decision",
    "disposition",
    "exposure",
    "follow_up",
    "gray",
    "lab",
    "quality",
    "rate",
    "response",
    "sensitivity",
    "teae",
)
# Groups that every study has, and flags of `disposition`.
GROUPS = ("all", "site", "without_site")
FLAGS = ("treated", "died", "completed_follow_up")
# Events that everybody has at the index date, or that nobody lives on after.
NEVER_DURING = ("index", "death", "last_contact")


def analysis_problems(protocol: Protocol) -> Iterator[Problem]:
    """Every problem of the names of endpoints and of the section `survival_by`."""
    yield from _endpoint_names(protocol)
    yield from _survival_by(protocol)


def _endpoint_names(protocol: Protocol) -> Iterator[Problem]:
    taken = {*ANALYSES, *(f"{name}_incidence" for name in protocol.incidences)}
    if protocol.survival_by:
        taken.add(f"survival_by_{protocol.survival_by.event}")
    codes: set[str] = set()
    for name, endpoint in protocol.endpoints.items():
        path: KeyPath = ("endpoints", name)
        if name in taken:
            yield path, "an analysis has this name, or begins with it; choose another"
        if endpoint.paramcd in codes:
            yield (*path, "paramcd"), f'"{endpoint.paramcd}" stands here twice; rename one'
        codes.add(endpoint.paramcd)


def _survival_by(protocol: Protocol) -> Iterator[Problem]:
    if protocol.survival_by is None:
        return
    path: KeyPath = ("survival_by",)
    if protocol.survival_by.event in NEVER_DURING:
        yield (*path, "event"), "nobody lives on after it, or all have it; name an event that comes to some"
    elif protocol.survival_by.event in (*GROUPS, *FLAGS):
        yield (*path, "event"), "a group or a flag of this name is there already; rename the event"
    survival = protocol.endpoints.get(OVERALL_SURVIVAL)
    if survival is None:
        yield path, f"is of `endpoints.{OVERALL_SURVIVAL}`; add that, or remove this"
    elif not survival.is_of_all:
        yield (
            path,
            f"needs {OVERALL_SURVIVAL} of everybody treated, from the index date; change that, or remove this",
        )
