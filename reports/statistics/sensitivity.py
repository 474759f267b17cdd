"""Sensitivity analyses: analyses given again under a variation, with the statistics that they have themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial

import polars as pl

from reports.statistics.deaths import death_rows
from reports.statistics.decision import decision_rows
from reports.statistics.groups import Frames, IncompleteTable, person_table, study_sites, table
from reports.statistics.incidence import analysis_of, incidence_rows
from reports.statistics.response import NOT_EVALUABLE, not_evaluable_rows, response_rows
from reports.statistics.rows import Place, Row
from reports.statistics.survival_by_event import survival_by_rows
from reports.statistics.time_to_event import endpoint_names, endpoint_rows, follow_up_rows
from reports.statistics.times import times_of
from studies.protocol import OVERALL_SURVIVAL, Decision, Protocol, Response, SurvivalBy, Variation
from studies.variations import varied_protocol
from studies.varied_analyses import given_again, of_response

VariationFrames = Callable[[str], Frames]
Estimate = Callable[[], Iterator[Row]]


def no_variations(name: str) -> Frames:
    """For studies whose sensitivity analyses change no rules. Raises IncompleteTable on one that does."""
    raise IncompleteTable(f"the tables of the sensitivity analysis {name} are missing")


def sensitivity_rows(
    frames: Frames, protocol: Protocol, variation_frames: VariationFrames, threads: int
) -> Iterator[Row]:
    """The rows of every sensitivity analysis, in the protocol's order.

    `variation_frames` gives the tables of a variation that changes rules: those that differ from `frames`; it is
    called in this thread. The variations, and what leaves one site after the other out, are estimated in so many
    `threads`: nearly all of it is done outside Python. Tables are read when a thread is free for them.
    """
    estimated, waiting = [], set[Future[list[Row]]]()
    with ThreadPoolExecutor(threads) as pool:
        for estimate in _group_estimates(frames, protocol, variation_frames):
            estimated.append(pool.submit(estimate))
            waiting.add(estimated[-1])
            if len(waiting) > threads:
                waiting = wait(waiting, return_when=FIRST_COMPLETED).not_done
    for rows in estimated:
        yield from rows.result()


def _group_estimates(
    frames: Frames, protocol: Protocol, variation_frames: VariationFrames
) -> Iterator[Callable[[], list[Row]]]:
    """What estimates each group of each variation, in the protocol's order."""
    for name, variation in protocol.sensitivity.items():
        varied = varied_protocol(protocol, name)
        tables = {**frames, **variation_frames(name)} if variation.change else frames
        analyses = given_again(protocol, name)
        for group in _groups(tables, variation):
            yield partial(_group_rows, tables, varied, analyses, group)


def _group_rows(
    frames: Frames, protocol: Protocol, analyses: Mapping[str, str], group: tuple[str, pl.DataFrame | None]
) -> list[Row]:
    """The rows of one group of a variation, under the names that the variation gives them."""
    name, persons = group
    estimates = _estimates(frames if persons is None else _restricted(frames, persons), protocol)
    return [
        replace(row, analysis=analysis, group=name)
        for varies, analysis in analyses.items()
        for row in estimates[varies]()
        if row.analysis == varies
    ]


def _groups(frames: Frames, variation: Variation) -> Iterator[tuple[str, pl.DataFrame | None]]:
    """The groups of a variation with their persons, or None for everybody: `all`, or each site's left-out."""
    persons = None
    if variation.persons == "evaluable":
        evaluable = table(frames, "response").filter(pl.col("best_response") != NOT_EVALUABLE)
        persons = evaluable.select("person_id")
    if variation.leave_out is None:
        yield "all", persons
        return
    cohort = table(frames, "cohort")
    if persons is not None:
        cohort = cohort.join(persons, on="person_id", how="semi")
    for site in study_sites(frames):
        yield f"without_site={site}", cohort.filter(pl.col("site") != site).select("person_id")


def _restricted(frames: Frames, persons: pl.DataFrame) -> Frames:
    """The tables of what is estimated, with the rows of these persons only."""
    named = ("cohort", "response", "endpoint", "time_dependent")
    kept = {name: frames[name].join(persons, on="person_id", how="semi") for name in named if name in frames}
    return {**frames, **kept}


def _estimates(frames: Frames, protocol: Protocol) -> dict[str, Estimate]:
    """How each analysis that can be given again is estimated; a row of another analysis may come with it."""
    found: dict[str, Estimate] = {"death": partial(_deaths, frames, protocol)}
    if protocol.response is not None:
        found |= dict.fromkeys(of_response(protocol.response), partial(_response, frames, protocol.response))
    if protocol.decision is not None:
        found["decision"] = partial(_decision, frames, protocol, protocol.decision)
    for name, endpoint in protocol.endpoints.items():
        for analysis in endpoint_names(name, endpoint):
            found[analysis] = partial(_endpoint, frames, protocol, analysis)
    for name in protocol.incidences:
        found[analysis_of(name)] = partial(_incidence, frames, protocol, name)
    if OVERALL_SURVIVAL in protocol.endpoints:
        found["follow_up"] = partial(_follow_up, frames, protocol)
    if protocol.survival_by is not None:
        found[f"survival_by_{protocol.survival_by.event}"] = partial(
            _survival_by, frames, protocol, protocol.survival_by
        )
    return found


def _deaths(frames: Frames, protocol: Protocol) -> Iterator[Row]:
    yield from death_rows(table(frames, "cohort"), protocol, "all")


def _response(frames: Frames, rules: Response) -> Iterator[Row]:
    response = person_table(frames, "response")
    yield from response_rows(response, rules, "all")
    yield from not_evaluable_rows(response, rules, "all")


def _decision(frames: Frames, protocol: Protocol, decision: Decision) -> Iterator[Row]:
    rows = [Place("attrition", level="treated").count("n", table(frames, "cohort").height)]
    if protocol.response is not None:
        rows += _response(frames, protocol.response)
    if any(threshold.analysis == "death" for threshold in decision.thresholds):
        rows += _deaths(frames, protocol)
    yield from decision_rows(rows, decision)


def _endpoint(frames: Frames, protocol: Protocol, analysis: str) -> Iterator[Row]:
    times = times_of(frames, analysis, protocol.endpoints[analysis.partition(".")[0]])
    yield from endpoint_rows(times, analysis, protocol, "all")


def _incidence(frames: Frames, protocol: Protocol, name: str) -> Iterator[Row]:
    times = times_of(frames, analysis_of(name), protocol.incidences[name])
    yield from incidence_rows(times, name, protocol, "all")


def _follow_up(frames: Frames, protocol: Protocol) -> Iterator[Row]:
    times = times_of(frames, OVERALL_SURVIVAL, protocol.endpoints[OVERALL_SURVIVAL])
    yield from follow_up_rows(times, protocol, "all")


def _survival_by(frames: Frames, protocol: Protocol, rules: SurvivalBy) -> Iterator[Row]:
    yield from survival_by_rows(person_table(frames, "time_dependent"), protocol, rules, "all")
