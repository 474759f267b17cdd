"""All results of a study: its tables in, one row a statistic out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.statistics.adverse_events import adverse_event_rows
from reports.statistics.asked_rows import require_asked_rows
from reports.statistics.baseline import baseline_rows
from reports.statistics.comparators import comparator_rows
from reports.statistics.comparisons import comparison_rows
from reports.statistics.control_estimates import Spread
from reports.statistics.control_rows import control_rows
from reports.statistics.deaths import contradicted_death_rows, death_rows
from reports.statistics.decision import decision_rows
from reports.statistics.disposition import attrition_rows, disposition_rows
from reports.statistics.event_rates import rate_rows
from reports.statistics.exposure import exposure_rows
from reports.statistics.groups import (
    Frames,
    Group,
    everybody,
    person_table,
    require_treated,
    study_groups,
    study_sites,
    table,
)
from reports.statistics.incidence import analysis_of, incidence_rows
from reports.statistics.laboratory import laboratory_rows
from reports.statistics.quality import (
    contradictory_date_rows,
    imputed_date_rows,
    left_out_rows,
    pull_rows,
    resource_rows,
    rule_rows,
    unit_rows,
)
from reports.statistics.response import agreement_rows, not_evaluable_rows, response_rows
from reports.statistics.rows import Row, results_frame
from reports.statistics.sensitivity import VariationFrames, no_variations, sensitivity_rows
from reports.statistics.survival_by_event import survival_by_rows
from reports.statistics.time_to_event import endpoint_names, endpoint_rows, follow_up_rows
from reports.statistics.times import times_of
from studies.protocol import OVERALL_SURVIVAL, Protocol, Response

PULL = "quality_pull"  # only of a home that was pulled into
# The study's tables that the statistics read; the others, some of them very long, needn't leave the warehouse.
STUDY_TABLES = (
    "attrition",
    "cohort",
    "contradictory_date",
    "endpoint",
    "imputed_date",
    "lab_grade",
    "left_out",
    "response",
    "subgroup",
    "teae",
    "time_at_risk",
    "time_dependent",
)
QUALITY = ("quality_resources", "quality_quarantine", "quality_finding", "quality_unit")


def estimate_results(
    frames: Frames,
    protocol: Protocol,
    variation_frames: VariationFrames = no_variations,
    spread: Spread = map,
    threads: int = 1,
) -> pl.DataFrame:
    """The rows of results.csv, sorted, one a statistic; columns as `rows.SCHEMA`.

    `frames` holds the study's tables by name, and those of `quality` as `quality_resources` and so on; a part
    that the protocol switches off needs no table and gives no row. `variation_frames` gives the tables of a
    sensitivity analysis that changes rules: those that differ. `spread` does the bootstrap of control patients,
    perhaps in several processes; what leaves a site out is estimated in `threads`. The order of rows in a table
    changes nothing. Raises IncompleteTable on a table that is missing or lacks a treated person, or on a level that
    isn't declared, and UnaskedResults where the rows aren't those that the protocol asks for.
    """
    rows = [*_group_rows(frames, protocol, everybody(frames)), *_overall_rows(frames, protocol)]
    if protocol.decision is not None:
        rows.extend(decision_rows(rows, protocol.decision))
    rows.extend(comparator_rows(list(rows), protocol.comparators))
    if protocol.control is not None:
        rows.extend(control_rows(frames, protocol.control, spread))
    for site in study_sites(frames):
        rows.extend(_site_rows(frames, protocol, site))
    groups, sites = study_groups(frames, protocol), study_sites(frames)
    for group in groups:
        rows.extend(_group_rows(frames, protocol, group))
    rows.extend(sensitivity_rows(frames, protocol, variation_frames, threads))
    results, names = results_frame(rows), [group.name for group in groups]
    require_asked_rows(results, protocol, sites=sites, groups=names, named=_named_levels(frames, protocol))
    return results


def _named_levels(frames: Frames, protocol: Protocol) -> dict[str, set[str]]:
    """The names of classes and terms with an event of a treated person."""
    if protocol.safety is None:
        return {}
    teae = table(frames, "teae")
    return {f"teae.{name}": set(teae[name].drop_nulls()) - {""} for name in ("soc", "pt")}


def _group_rows(frames: Frames, protocol: Protocol, group: Group) -> Iterator[Row]:
    """What every group has."""
    cohort = group.of(table(frames, "cohort"))
    yield from baseline_rows(cohort, protocol, group.name)
    yield from death_rows(cohort, protocol, group.name)
    contradictory = group.of(table(frames, "contradictory_date"))
    yield from contradicted_death_rows(contradictory, protocol, group.name)
    if protocol.response is not None:
        response = group.of(person_table(frames, "response"))
        yield from response_rows(response, protocol.response, group.name)
    if OVERALL_SURVIVAL in protocol.endpoints:
        times = group.of(times_of(frames, OVERALL_SURVIVAL, protocol.endpoints[OVERALL_SURVIVAL]))
        yield from endpoint_rows(times, OVERALL_SURVIVAL, protocol, group.name)


def _site_rows(frames: Frames, protocol: Protocol, site: str) -> Iterator[Row]:
    """What a site has beside: it also counts those who weren't treated."""
    of_site, group = pl.col("site") == site, f"site={site}"
    yield from attrition_rows(table(frames, "attrition").filter(of_site), group)
    yield from _quality_rows({name: table(frames, name).filter(of_site) for name in QUALITY}, group)
    if PULL in frames:
        yield from pull_rows(frames[PULL].filter(of_site), group)
    if protocol.quality.fatal_rules:
        yield from left_out_rows(table(frames, "left_out").filter(of_site), protocol, group)


def _quality_rows(frames: Frames, group: str) -> Iterator[Row]:
    yield from resource_rows(table(frames, "quality_resources"), group)
    yield from rule_rows(table(frames, "quality_quarantine"), "quality.quarantine", group)
    yield from rule_rows(table(frames, "quality_finding"), "quality.finding", group)
    yield from unit_rows(table(frames, "quality_unit"), group)


def _overall_rows(frames: Frames, protocol: Protocol) -> Iterator[Row]:
    """What only everybody together has."""
    cohort = table(frames, "cohort")
    yield from attrition_rows(table(frames, "attrition"), "all")
    yield from disposition_rows(cohort, protocol, "all")
    yield from exposure_rows(cohort, protocol, "all")
    if protocol.response is not None:
        yield from _response_details(person_table(frames, "response"), protocol.response)
    yield from _time_rows(frames, protocol)
    yield from _safety_rows(frames, protocol)
    yield from _quality_rows(frames, "all")
    if PULL in frames:
        yield from pull_rows(frames[PULL], "all")
    if protocol.quality.fatal_rules:
        yield from left_out_rows(table(frames, "left_out"), protocol, "all")
    imputed = table(frames, "imputed_date").join(cohort, on="person_id", how="semi")
    yield from imputed_date_rows(imputed, protocol, "all")
    contradictory = table(frames, "contradictory_date").join(cohort, on="person_id", how="semi")
    yield from contradictory_date_rows(contradictory, protocol, "all")


def _response_details(response: pl.DataFrame, rules: Response) -> Iterator[Row]:
    yield from not_evaluable_rows(response, rules, "all")
    if rules.investigator is not None:
        yield from agreement_rows(response, rules, "all")


def _time_rows(frames: Frames, protocol: Protocol) -> Iterator[Row]:
    for name, endpoint in protocol.endpoints.items():
        for analysis in endpoint_names(name, endpoint):
            if analysis != OVERALL_SURVIVAL:
                times = times_of(frames, analysis, endpoint)
                yield from endpoint_rows(times, analysis, protocol, "all")
    for name, incidence in protocol.incidences.items():
        times = times_of(frames, analysis_of(name), incidence)
        yield from incidence_rows(times, name, protocol, "all")
    yield from _comparison_rows(frames, protocol)
    if OVERALL_SURVIVAL in protocol.endpoints:
        yield from follow_up_rows(
            times_of(frames, OVERALL_SURVIVAL, protocol.endpoints[OVERALL_SURVIVAL]), protocol, "all"
        )
    if protocol.survival_by is not None:
        times = person_table(frames, "time_dependent")
        yield from survival_by_rows(times, protocol, protocol.survival_by, "all")


def _comparison_rows(frames: Frames, protocol: Protocol) -> Iterator[Row]:
    groups, cohort = study_groups(frames, protocol), table(frames, "cohort")
    for name, comparison in protocol.comparisons.items():
        times = times_of(frames, analysis_of(comparison.incidence), protocol.incidences[comparison.incidence])
        compared = [group for group in groups if group.variable == comparison.by]
        yield from comparison_rows(times, name, protocol, compared, cohort)


def _safety_rows(frames: Frames, protocol: Protocol) -> Iterator[Row]:
    if protocol.safety is None:
        return
    cohort = table(frames, "cohort")
    teae = table(frames, "teae")
    require_treated(teae, cohort, "teae")
    yield from adverse_event_rows(teae, protocol.safety, cohort.height, "all")
    if protocol.safety.rates:
        time_at_risk = person_table(frames, "time_at_risk")
        for name, rate in protocol.safety.rates.items():
            yield from rate_rows(teae, time_at_risk, name, rate, "all")
    if protocol.safety.laboratory is not None:
        graded = table(frames, "lab_grade")
        require_treated(graded, cohort, "lab_grade")
        yield from laboratory_rows(graded, protocol.safety.laboratory, "all")
