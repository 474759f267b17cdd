"""Which analyses a sensitivity analysis may give again, and what their names and tables are then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from studies.protocol import OVERALL_SURVIVAL, Protocol, Response


class Varied(NamedTuple):
    """An analysis of results.csv, the variation that it is of, and the analysis that it gives again."""

    analysis: str
    variation: str
    varies: str


class Sources(NamedTuple):
    """The study tables that numbers and what leads them back are read from; of `endpoint` the rows of which ones."""

    tables: frozenset[str]
    endpoints: frozenset[str]


def varied_analyses(protocol: Protocol) -> Iterator[Varied]:
    """The sensitivity analyses in the protocol's order: `sensitivity.<name>`, and `sensitivity.<name>.<analysis>`
    where a variation gives several analyses again."""
    for name, variation in protocol.sensitivity.items():
        for varies in variation.analyses:
            suffix = f".{varies}" if len(variation.analyses) > 1 else ""
            yield Varied(f"sensitivity.{name}{suffix}", name, varies)


def given_again(protocol: Protocol, variation: str) -> dict[str, str]:
    """The analyses that a variation gives again, each with the name that it has there."""
    return {one.varies: one.analysis for one in varied_analyses(protocol) if one.variation == variation}


def of_response(response: Response) -> list[str]:
    """The analyses of the best response that can be given again."""
    return [f"response.{name}" for name in ("best", "not_evaluable", *response.outcomes)]


def analysis_sources(protocol: Protocol) -> dict[str, Sources]:
    """The analyses that can be given again, each with what it is read from."""
    sources = {"death": _read("cohort", "death", "teae", "cause_of_death")}
    if protocol.response is not None:
        read = _read("response", "assessment_source", "rated_assessment")
        sources |= dict.fromkeys(of_response(protocol.response), read)
    if protocol.decision is not None:
        decided = [sources.get(threshold.analysis, _read()) for threshold in protocol.decision.thresholds]
        sources["decision"] = _together(decided)
    for name, endpoint in protocol.endpoints.items():
        for analysis in [name, *(f"{name}.{variant}" for variant in endpoint.variants)]:
            sources[analysis] = _read("endpoint", endpoints=[analysis])
    for name in protocol.incidences:
        sources[f"{name}_incidence"] = _read("endpoint", endpoints=[f"{name}_incidence"])
    if OVERALL_SURVIVAL in protocol.endpoints:
        sources["follow_up"] = _read("endpoint", endpoints=[OVERALL_SURVIVAL])
    if protocol.survival_by is not None:
        read = _read("time_dependent", "endpoint", "cohort", endpoints=[OVERALL_SURVIVAL])
        sources[f"survival_by_{protocol.survival_by.event}"] = read
    return sources


def sources_of(protocol: Protocol, analyses: Iterable[str]) -> Sources:
    """What analyses under the rules of `protocol` are read from."""
    sources = analysis_sources(protocol)
    return _together([sources[one] for one in analyses])


def _read(*tables: str, endpoints: Iterable[str] = ()) -> Sources:
    return Sources(frozenset({*tables, "treated"}), frozenset(endpoints))


def _together(sources: Sequence[Sources]) -> Sources:
    return Sources(
        frozenset().union(*(one.tables for one in sources)),
        frozenset().union(*(one.endpoints for one in sources)),
    )
