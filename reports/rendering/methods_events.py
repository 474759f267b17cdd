"""The named events in words."""

from __future__ import annotations

from collections.abc import Iterator

from reports.rendering.labels import event_label, variable_label
from reports.rendering.methods_response import OF_BASELINE, SIGNS, unit_words
from reports.rendering.words import listed, sentence
from studies.protocol import NamedEvent, Protocol, Sign


def event_rules(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Each event that the protocol names, and what tells it."""
    for name, event in protocol.events.items():
        yield event.label or sentence(name), _event(protocol, event)


def _event(protocol: Protocol, event: NamedEvent) -> str:
    if event.without is not None:
        since = event_label(protocol, event.after) if event.after else "the index date"
        missed = event_label(protocol, event.without)
        return (
            f"No {missed} by day {event.by_day} after {since}: on that day, when a contact or the death is on or after "
            "it."
        )
    said = "; ".join(_sign(protocol, sign) for sign in event.signs)
    later = f", later than the day of the first {event_label(protocol, event.after)}" if event.after else ""
    return f"{'Any of: ' if len(event.signs) > 1 else ''}{said}{later}."


def _sign(protocol: Protocol, sign: Sign) -> str:
    on_list = f" on codelist {sign.codelist}" if sign.codelist else ""
    if sign.from_ == "event":
        return event_label(protocol, sign.event or "")
    if sign.from_ == "response":
        outcomes = protocol.response.outcomes if protocol.response else {}
        named = outcomes.get(sign.outcome or "")
        return f"an assessment with response {listed(named.responses if named else [], 'or')}"
    if sign.from_ == "diagnosis" and sign.clinical_status:
        return f"a diagnosis{on_list} with clinical status {listed(sign.clinical_status, 'or')}"
    if sign.from_ == "adverse_event":
        grade = f" of grade {sign.grade_at_least} or more" if sign.grade_at_least else ""
        return f"{'a serious' if sign.serious else 'an'} adverse event{on_list}{grade}"
    if sign.from_ in ("observation", "evaluation"):
        return _value(protocol, sign)
    return f"a {sign.from_}{on_list}"


def _value(protocol: Protocol, sign: Sign) -> str:
    of_response = protocol.response.assessment.measurement if protocol.response else ""
    name = sign.codelist or of_response
    unit = unit_words(protocol.measurements, name)
    said = [f"{mark} {getattr(sign, key):g}{unit}" for key, mark in SIGNS if getattr(sign, key) is not None]
    for key, mark in OF_BASELINE:
        if getattr(sign, key) is not None:
            said.append(f"{mark} {getattr(sign, key):g} of the baseline")
    if sign.equals is not None:
        said.append("yes" if sign.equals else "no")
    if sign.values is not None:
        said.append(f"with a value on codelist {sign.values}")
    return " ".join([variable_label(protocol, name), " and ".join(said) or "recorded"])
