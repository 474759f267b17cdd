"""The rules on deaths, adverse events and laboratory values in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reports.rendering.labels import event_label
from reports.rendering.methods_response import unit_words
from reports.rendering.words import plain
from studies.protocol import Laboratory, Measurement, Protocol

SOURCES = {
    "patient": "the Patient",
    "observation": "a death observation",
    "encounter": "an encounter's discharge",
    "adverse_event": "a fatal adverse event",
}


def death_rules(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Where deaths come from, and their classes."""
    deaths = protocol.deaths
    yield (
        "Death",
        f"From {', else '.join(SOURCES[name] for name in deaths.order)}, in this order, which also settles a "
        "conflict of dates. A death without any date is dated at the last contact.",
    )
    after = (
        f"after {event_label(protocol, deaths.after_event)}, on or after the index date; else "
        if deaths.after_event
        else ""
    )
    yield (
        "Class of a death",
        f"One each: {after}within {deaths.early_days} days of the last dose; else later.",
    )
    if protocol.safety is not None:
        yield (
            "Death due to an event",
            "A treatment-emergent event was fatal, or the recorded cause of death is one of the person's events.",
        )


def safety_rules(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Which adverse events count, and what their attributes mean; nothing without a safety part."""
    safety = protocol.safety
    if safety is None:
        return
    yield (
        "Treatment-emergent",
        "Onset at or after the first dose, by date, and at most "
        f"{safety.days_after_last_dose} days after the last. A missing onset counts, unless the event ended before the "
        "first dose; a partial one counts when any day that it could mean does.",
    )
    yield (
        "Coding",
        "MedDRA, as the sources coded it; an event without a code keeps its text. MedDRA itself is not shipped.",
    )
    yield (
        "Grade, serious, related, fatal",
        "Grade: CTCAE as the source recorded it; mild, moderate and severe are no grades. Serious: a seriousness code "
        "that says so. Related: causality assessed as certain, probable or possible for a suspect not coded as another "
        "drug. Fatal: by outcome, or grade 5.",
    )
    if safety.rates:
        yield (
            "Event rates",
            "For each 100 person-years of 365.25 days. A person's time is from the first dose to "
            f"{safety.days_after_last_dose} days after the last, the cut-off, the death or the last contact, both ends "
            "counted; of first events it ends on the day of the first. An event without an onset is put on the first "
            "day. Limits are exact (Garwood).",
        )
    if safety.laboratory is not None:
        yield "Laboratory grades", _laboratory(safety.laboratory, protocol.measurements)


def _measured(name: str, measurements: Mapping[str, Measurement]) -> str:
    kept = measurements.get(name)
    return (kept.label if kept else None) or plain(name)


def _laboratory(laboratory: Laboratory, measurements: Mapping[str, Measurement]) -> str:
    limits = [
        f"{_measured(test.measurement, measurements)} {sign} {value:g}{unit_words(measurements, test.measurement)}"
        for test in laboratory.tests
        for sign, value in (("≥", test.lower), ("≤", test.upper))
        if value is not None
    ]
    return (
        f"CTCAE {laboratory.ctcae_version}, of each value after the index date and at most "
        f"{laboratory.days_after_last_dose} days after the last dose, with the rule for an abnormal baseline. Normal "
        f"limits from the source; where it gives none: {', '.join(limits)}. Apart from the adverse events, and never "
        "counted among them."
    )
