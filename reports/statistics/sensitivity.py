"""Sensitivity analyses: analyses given again under a variation, with the statistics that they have themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl

from reports.statistics.deaths import death_rows
from reports.statistics.decision import decision_rows
from reports.statistics.groups import Frames, IncompleteTable, person_table, study_sites, table
from reports.statistics.incidence import analysis_of, incidence_rows
from reports.statistics.response import NOT_EVALUABLE, not_evaluable_rows, response_rows
from reports.statistics.rows import Row
from reports.statistics.survival_by_event import survival_by_rows
from reports.statistics.time_to_event import endpoint_names, endpoint_rows, follow_up_rows
from studies.protocol import Protocol, Variation
from studies.variations import varied_protocol
from studies.varied_analyses import varied_analyses

OVERALL_SURVIVAL = "overall_survival"
VariationFrames = Callable[[str], Frames]
Estimate = Callable[[], Iterator[Row]]


def no_variations(name: str) -> Frames:
    """For studies whose sensitivity analyses change no rules. Raises IncompleteTable on one that does."""
    raise IncompleteTable(f"the tables of the sensitivity analysis {name} are missing")


def sensitivity_rows(frames: Frames, protocol: Protocol, variation_frames: VariationFrames) -> Iterator[Row]:
    """The rows of every sensitivity analysis, in the protocol's order.

    `variation_frames` gives the tables of a variation that changes rules: those that differ from `frames`.
    """
    for name, variation in protocol.sensitivity.items():
        varied = varied_protocol(protocol, name)
        tables = {**frames, **variation_frames(name)} if variation.change else frames
        analyses = {one.varies: one.analysis for one in varied_analyses(protocol) if one.variation == name}
        for group, part in _parts(tables, variation):
            estimates = _estimates(part, varied)
            for varies, analysis in analyses.items():
                chosen = (row for row in estimates[varies]() if row.analysis == varies)
                yield from (replace(row, analysis=analysis, group=group) for row in chosen)


def _parts(frames: Frames, variation: Variation) -> Iterator[tuple[str, Frames]]:
    """The groups of a variation with their persons: `all`, or each site's left-out."""
    if variation.persons == "evaluable":
        evaluable = table(frames, "response").filter(pl.col("best_response") != NOT_EVALUABLE)
        frames = _restricted(frames, evaluable.select("person_id"))
    if variation.leave_out is None:
        yield "all", frames
        return
    cohort = table(frames, "cohort")
    for site in study_sites(frames):
        others = cohort.filter(pl.col("site") != site).select("person_id")
        yield f"without_site={site}", _restricted(frames, others)


def _restricted(frames: Frames, persons: pl.DataFrame) -> Frames:
    """The tables of what is estimated, with the rows of these persons only."""
    named = ("cohort", "response", "endpoint", "time_dependent")
    kept = {name: frames[name].join(persons, on="person_id", how="semi") for name in named if name in frames}
    return {**frames, **kept}


def _estimates(frames: Frames, protocol: Protocol) -> dict[str, Estimate]:
    """How each analysis that can be given again is estimated; a row of another analysis may come with it."""
    found: dict[str, Estimate] = {"death": lambda: death_rows(table(frames, "cohort"), protocol, "all")}
    rules = protocol.response
    if rules is not None:
        for name in ("response.best", "response.remission", "response.overall"):
            found[name] = lambda: response_rows(person_table(frames, "response"), rules, "all")
        found["response.not_evaluable"] = lambda: not_evaluable_rows(
            person_table(frames, "response"), rules, "all"
        )
        if protocol.decision is not None:
            decision = protocol.decision
            found["decision"] = lambda: decision_rows(list(found["response.remission"]()), decision)
    return {**found, **_time_estimates(frames, protocol)}


def _time_estimates(frames: Frames, protocol: Protocol) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}

    def add(analysis: str, estimate: Callable[[pl.DataFrame], Iterator[Row]], endpoint: str) -> None:
        found[analysis] = lambda: estimate(times_of(frames, protocol, endpoint))

    for name, endpoint in protocol.endpoints.items():
        for analysis in endpoint_names(name, endpoint):
            add(analysis, lambda times, a=analysis: endpoint_rows(times, a, protocol, "all"), analysis)
    for name in protocol.incidences:
        analysis = analysis_of(name)
        add(analysis, lambda times, n=name: incidence_rows(times, n, protocol, "all"), analysis)
    if OVERALL_SURVIVAL in protocol.endpoints:
        add("follow_up", lambda times: follow_up_rows(times, protocol, "all"), OVERALL_SURVIVAL)
    by = protocol.survival_by
    if by is not None:
        found[f"survival_by_{by.event}"] = lambda: survival_by_rows(
            person_table(frames, "time_dependent"), by, "all"
        )
    return found


def times_of(frames: Frames, protocol: Protocol, analysis: str) -> pl.DataFrame:
    """An endpoint's or incidence's rows, one a person: every treated one, where nobody may be left out."""
    name = analysis.split(".")[0]
    if name in protocol.endpoints:
        endpoint = protocol.endpoints[name]
        whole = endpoint.population == "treated" and not endpoint.exclude_prevalent
    else:
        whole = not protocol.incidences[name.removesuffix("_incidence")].exclude_prevalent
    times = table(frames, "endpoint").filter(pl.col("endpoint") == analysis)
    return person_table({**frames, analysis: times}, analysis, whole=whole)
