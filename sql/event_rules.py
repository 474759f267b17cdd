"""The rows of the protocol tables about events and endpoints: what a protocol says, put flat."""

from __future__ import annotations

from studies.event_steps import event_steps
from studies.protocol import Endpoint, Incidence, NamedEvent, Protocol, TimeToEvent

Cell = str | int | float | bool | list[str] | None

EVENT_COLUMNS = {
    "event": "VARCHAR",
    "label": "VARCHAR",
    "signs": "INTEGER",
    "step": "INTEGER",
    "after": "VARCHAR",
    "without": "VARCHAR",
    "by_day": "INTEGER",
}

SIGN_COLUMNS = {
    "event": "VARCHAR",
    "position": "INTEGER",
    "kind": "VARCHAR",
    "codelist": "VARCHAR",
    "clinical_statuses": "VARCHAR[]",
    "above": "DOUBLE",
    "at_least": "DOUBLE",
    "below": "DOUBLE",
    "at_most": "DOUBLE",
    "at_most_of_baseline": "DOUBLE",
    "at_least_of_baseline": "DOUBLE",
    "expected": "BOOLEAN",
    "value_codelist": "VARCHAR",
    "grade_at_least": "INTEGER",
    "serious": "BOOLEAN",
    "outcome": "VARCHAR",
    "source_event": "VARCHAR",
}

ENDPOINT_COLUMNS = {
    "endpoint": "VARCHAR",
    "population": "VARCHAR",
    "population_event": "VARCHAR",
    "start": "VARCHAR",
    "assessment_gap_days": "INTEGER",
    "exclude_prevalent": "BOOLEAN",
    "competing_first": "BOOLEAN",
}


def event_rows(protocol: Protocol) -> list[tuple[Cell, ...]]:
    """The named events, with the step in which each can be told."""
    steps = event_steps(protocol.events)
    return [
        (name, event.label, len(event.signs), steps[name], event.after, event.without, event.by_day)
        for name, event in protocol.events.items()
    ]


def sign_rows(protocol: Protocol) -> list[tuple[Cell, ...]]:
    """The signs of each event, in their order."""
    return [row for name, event in protocol.events.items() for row in _signs(name, event)]


def _signs(name: str, event: NamedEvent) -> list[tuple[Cell, ...]]:
    return [
        (
            name,
            position,
            sign.from_,
            sign.codelist,
            sign.clinical_status,
            sign.above,
            sign.at_least,
            sign.below,
            sign.at_most,
            sign.at_most_of_baseline,
            sign.at_least_of_baseline,
            sign.equals,
            sign.values,
            sign.grade_at_least,
            sign.serious,
            sign.outcome,
            sign.event,
        )
        for position, sign in enumerate(event.signs)
    ]


def times_to_event(protocol: Protocol) -> dict[str, TimeToEvent]:
    """Endpoints, each with its variants, then the cumulative incidences, by the name of their analysis."""
    named: dict[str, TimeToEvent] = {}
    for name, endpoint in protocol.endpoints.items():
        named |= dict.fromkeys([name, *(f"{name}.{variant}" for variant in endpoint.variants)], endpoint)
    return named | {f"{name}_incidence": incidence for name, incidence in protocol.incidences.items()}


def endpoint_rows(protocol: Protocol) -> list[tuple[Cell, ...]]:
    """Who is in each, and when it starts."""
    return [
        (
            name,
            rule.population,
            _population_event(protocol, rule),
            rule.start,
            rule.assessment_gap_days,
            rule.exclude_prevalent,
            isinstance(rule, Incidence) and rule.competing_first,
        )
        for name, rule in times_to_event(protocol).items()
    ]


def _population_event(protocol: Protocol, rule: TimeToEvent) -> str | None:
    chosen = protocol.populations.get(rule.population)
    return chosen.event if chosen else None


def endpoint_censor_rows(protocol: Protocol) -> list[tuple[Cell, ...]]:
    """Where follow-up ends: the first of these that is for the person."""
    rows: list[tuple[Cell, ...]] = []
    for name, rule in times_to_event(protocol).items():
        censors = [(censoring.at, censoring.after) for censoring in rule.censor] or [("last_contact", None)]
        rows += [(name, position, at, after) for position, (at, after) in enumerate(censors)]
    return rows


def endpoint_event_rows(protocol: Protocol) -> list[tuple[str, str, str, int]]:
    """Events of each endpoint by role: `event`, `competing`, or `censor` (it ends follow-up)."""
    rows: list[tuple[str, str, str, int]] = []
    for name, rule in times_to_event(protocol).items():
        rows += _named(name, rule.events, "event")
        rows += _named(name, rule.competing if isinstance(rule, Incidence) else [], "competing")
        variants = rule.variants if isinstance(rule, Endpoint) else {}
        rows += _named(name, [*rule.ends_at, *variants.get(name.partition(".")[2], [])], "censor")
    return rows


def _named(endpoint: str, events: list[str], role: str) -> list[tuple[str, str, str, int]]:
    return [(endpoint, event, role, position) for position, event in enumerate(events)]
