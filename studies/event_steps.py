"""The order in which named events can be told: each after those that it is told by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from studies.protocol import NamedEvent


def event_steps(events: Mapping[str, NamedEvent]) -> dict[str, int]:
    """The step of each event: 0 where records or the response tell it, else one more than what it is told by.

    Raises CycleError where events are told by each other.
    """
    needed = {name: set(needs(event)) for name, event in events.items()}
    steps: dict[str, int] = {}
    for name in TopologicalSorter(needed).static_order():
        if name in events:
            before = [steps[other] for other in needed[name] if other in events]
            is_told_by_events = bool(needed[name])
            steps[name] = max(before, default=0) + 1 if is_told_by_events else 0
    return {name: steps[name] for name in events}


def needs(event: NamedEvent) -> Iterator[str]:
    """The events that this one is told by."""
    yield from (name for name in (event.after, event.without) if name)
    yield from (sign.event for sign in event.signs if sign.event)


def circle(events: Mapping[str, NamedEvent]) -> list[str]:
    """Events that are told by each other, the first again at the end; none where there is no circle."""
    try:
        event_steps(events)
    except CycleError as error:
        return list(error.args[1])
    return []
