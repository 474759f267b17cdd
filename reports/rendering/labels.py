"""What a protocol calls its own things; where it gives no label, the name in words."""

from __future__ import annotations

import re

from reports.rendering.words import analysis_words, group_words, level_words, plain, sentence
from studies.protocol import Protocol, Response


def event_label(protocol: Protocol, name: str) -> str:
    """An event, as within a sentence."""
    event = protocol.events.get(name)
    return (event.label if event else None) or plain(name)


def name_label(protocol: Protocol, name: str) -> str:
    """A name that the protocol made up, with the labels of the events in it: `at_hsct` → `at HSCT`."""
    said = plain(name)
    for event, rule in protocol.events.items():
        if rule.label:
            said = rule.label.join(re.split(rf"\b{re.escape(plain(event))}\b", said))
    return said


def variable_label(protocol: Protocol, variable: str) -> str:
    """A variable of the criteria, or a measurement."""
    response = protocol.response
    if response and variable in response.findings:
        return response.findings[variable].label or plain(variable)
    measurement = _measurement(response, variable) if response else variable
    kept = protocol.measurements.get(measurement)
    return (kept.label if kept else None) or plain(variable)


def measurement_of(protocol: Protocol, variable: str) -> str:
    """The measurement that a variable of the criteria is, by its name."""
    return _measurement(protocol.response, variable) if protocol.response else variable


def _measurement(response: Response, variable: str) -> str:
    measured = {**response.pair, response.assessment.variable: response.assessment.measurement}
    return measured.get(variable, variable)


def analysis_label(protocol: Protocol, analysis: str) -> str:
    """An analysis of results.csv, at the beginning of a line."""
    if analysis in protocol.endpoints and (label := protocol.endpoints[analysis].label):
        return label
    incidence = protocol.incidences.get(analysis.removesuffix("_incidence"))
    if analysis.endswith("_incidence") and incidence:
        return incidence.label or _capital(event_label(protocol, analysis.removesuffix("_incidence")))
    section, _, name = analysis.partition(".")
    if section == "response" and protocol.response and name in protocol.response.outcomes:
        return protocol.response.outcomes[name].label or sentence(name)
    if section in protocol.endpoints and name in protocol.endpoints[section].variants:
        ended = " or ".join(
            event_label(protocol, event) for event in protocol.endpoints[section].variants[name]
        )
        return f"{analysis_label(protocol, section)}, ended at {ended}"
    return analysis_words(analysis)


def level_label(protocol: Protocol, level: str) -> str:
    """A level of results.csv: an event, a reason that names a variable, or what every study has."""
    if level in protocol.events:
        return _capital(event_label(protocol, level))
    if level.startswith("after_") and level.removeprefix("after_") in protocol.events:
        return f"After {event_label(protocol, level.removeprefix('after_'))}"
    if level.endswith("_missing") and protocol.response:
        variable = level.removesuffix("_missing")
        of_baseline = variable.startswith("baseline_")
        label = variable_label(protocol, variable.removeprefix("baseline_"))
        return _capital(f"baseline {label} missing" if of_baseline else f"{label} missing")
    return level_words(level)


def population_label(protocol: Protocol, population: str) -> str:
    """The persons of an endpoint."""
    chosen = protocol.populations.get(population)
    if chosen is None:
        return "all treated persons"
    return chosen.label or f"persons with {event_label(protocol, chosen.event)}"


def group_label(protocol: Protocol, group: str) -> str:
    """A group of persons: everybody, a site's own name, or a variable and its level."""
    variable, separator, level = group.partition("=")
    if not separator or variable not in protocol.events:
        return group_words(group)
    return f"{event_label(protocol, variable)}: {level}"


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]
