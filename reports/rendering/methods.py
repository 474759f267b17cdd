"""Section A: the protocol's rules in words, each with the value that this study gave it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reports.rendering.methods_endpoints import endpoint_rules, statistics_rules
from reports.rendering.methods_events import event_rules
from reports.rendering.methods_response import response_rules
from reports.rendering.methods_safety import death_rules, safety_rules
from reports.rendering.methods_sensitivity import sensitivity_rules
from reports.rendering.words import listed
from studies.protocol import Evidence, Protocol

Rule = tuple[str, str]

STATUSES: dict[Evidence, str] = {
    "administered": "administered (completed, in progress, or stopped: a partial dose)",
    "dispensed": "dispensed (completed or in progress)",
    "stated": "stated as taken (active, completed or recorded)",
    "ordered": "ordered (active or completed, and an order by its intent)",
}


@dataclass(frozen=True)
class Rules:
    """Rules that belong together."""

    title: str
    rules: tuple[Rule, ...]


def method_rules(protocol: Protocol, data_cutoff: str) -> list[Rules]:
    """All rules in groups; a group without any is left out."""
    groups = [
        Rules("Persons and time", (*_population(protocol), *_time(protocol, data_cutoff))),
        Rules("Exposure", tuple(_exposure(protocol))),
        Rules(
            "Response",
            tuple(response_rules(protocol)),
        ),
        Rules("Events and endpoints", (*event_rules(protocol), *endpoint_rules(protocol))),
        Rules("Deaths and safety", (*death_rules(protocol), *safety_rules(protocol))),
        Rules("Statistics", tuple(statistics_rules(protocol))),
        Rules("Sensitivity", tuple(sensitivity_rules(protocol))),
    ]
    return [group for group in groups if group.rules]


def _population(protocol: Protocol) -> Iterator[Rule]:
    diagnosis, drug = protocol.population.diagnosis, protocol.population.index_drug
    yield (
        "Persons",
        "One person for each site and Patient, after merges. Persons aren't linked between sites.",
    )
    if diagnosis is not None:
        yield (
            "Diagnosed",
            f"A condition on codelist {diagnosis.codelist}, neither refuted nor entered in error, with its onset (else "
            f"its recorded date) at most {diagnosis.days_after_index} days after the index date. A missing date "
            "counts, and without an index date any diagnosis does.",
        )
    if protocol.quality.fatal_rules:
        yield (
            "Resources left out",
            "The resources of everyone with a record of an index drug are validated in full. One that breaks a rule "
            f"of {listed(protocol.quality.fatal_rules)} isn't used in this study, and a person whose Patient does "
            "isn't known.",
        )
    yield (
        "Treated",
        f"At least one counted dose on codelist {drug.codelist} at or before the cut-off"
        + (f", by a route on codelist {drug.routes}. " if drug.routes else ", by any route. ")
        + "The population of every analysis, unless a table names another.",
    )
    yield (
        "Baseline",
        "The last value at or before the first dose; one of the same day only when timed before it, or when neither "
        "has a time. Of two values at one time the higher counts, then the later id. Age is in completed years.",
    )


def _time(protocol: Protocol, data_cutoff: str) -> Iterator[Rule]:
    yield (
        "Index date",
        "The local date of the first counted dose of an index drug: time zero of every analysis.",
    )
    yield "Data cut-off", f"{data_cutoff}. Nothing that happened after it counts, and follow-up ends at it."
    yield (
        "Dates",
        "Days are counted in the date as written at the site. A partial date is imputed at the "
        f"{protocol.dates.impute} of its period, within the dates that it can't pass (birth, index, death, cut-off), "
        "and counted in section D.",
    )
    yield (
        "Units of time",
        "A time to event is event - start, in days; weeks are days / 7. Days of exposure are last dose - first dose "
        "+ 1.",
    )


def _exposure(protocol: Protocol) -> Iterator[Rule]:
    evidence = protocol.population.index_drug.evidence
    gap, combination = protocol.exposure.cycle_gap_days, protocol.exposure.combination
    yield (
        "Evidence of a dose",
        f"Counted, best first: {'; '.join(STATUSES[level] for level in evidence)}. For one person and drug only the "
        "best level among the counted records is used. One record is one dose.",
    )
    if gap is not None:
        yield "Cycle", f"Doses less than {gap} days apart; a gap of {gap} days or more starts the next."
    if combination is not None:
        yield (
            "Combination",
            f"A dose of a drug on codelist {combination.codelist}, other than an index drug, from "
            f"{combination.days_before} days before the first to {combination.days_after} days after the last index "
            "dose; else monotherapy.",
        )
        yield (
            "New therapy",
            f"The first dose of such a drug more than {combination.days_after} days after the last index dose.",
        )
