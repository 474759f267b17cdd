"""Which analyses a sensitivity analysis may give again, and what their names and tables are then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from studies.protocol import Protocol, Response


class Varied(NamedTuple):
    """An analysis of results.csv, the variation that it is of, and the analysis that it gives again."""

    analysis: str
    variation: str
    varies: str


def varied_analyses(protocol: Protocol) -> Iterator[Varied]:
    """The sensitivity analyses in the protocol's order: `sensitivity.<name>`, and `sensitivity.<name>.<analysis>`
    where a variation gives several analyses again."""
    for name, variation in protocol.sensitivity.items():
        for varies in variation.analyses:
            suffix = f".{varies}" if len(variation.analyses) > 1 else ""
            yield Varied(f"sensitivity.{name}{suffix}", name, varies)


def of_response(response: Response) -> list[str]:
    """The analyses of the best response that can be given again."""
    return [f"response.{name}" for name in ("best", "not_evaluable", *response.outcomes)]


def analysis_tables(protocol: Protocol) -> dict[str, frozenset[str]]:
    """The analyses that can be given again, each with the study tables that its numbers and their sources are
    read from."""
    tables: dict[str, tuple[str, ...]] = {"death": ("cohort", "death", "teae", "cause_of_death")}
    if protocol.response is not None:
        tables |= dict.fromkeys(
            of_response(protocol.response), ("response", "assessment_source", "rated_assessment")
        )
    if protocol.decision is not None:
        decided = [threshold.analysis for threshold in protocol.decision.thresholds]
        tables["decision"] = tuple(name for analysis in decided for name in tables.get(analysis, ()))
    for name, endpoint in protocol.endpoints.items():
        tables |= dict.fromkeys(
            [name, *(f"{name}.{variant}" for variant in endpoint.variants)], ("endpoint",)
        )
    tables |= dict.fromkeys((f"{name}_incidence" for name in protocol.incidences), ("endpoint",))
    if "overall_survival" in protocol.endpoints:
        tables["follow_up"] = ("endpoint",)
    if protocol.survival_by is not None:
        tables[f"survival_by_{protocol.survival_by.event}"] = ("time_dependent", "endpoint", "cohort")
    return {analysis: frozenset({*named, "treated"}) for analysis, named in tables.items()}


def tables_of(protocol: Protocol, analyses: Iterable[str]) -> frozenset[str]:
    """The study tables that analyses under the rules of `protocol` are read from."""
    tables = analysis_tables(protocol)
    return frozenset().union(*(tables[one] for one in analyses))
