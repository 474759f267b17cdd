"""What is wrong with named events, and with the endpoints that name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.criteria_checks import Problem, is_never
from studies.event_steps import circle, needs
from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import NamedEvent, Protocol, Sign, TimeToEvent

# What every study has by itself; `events` of the protocol adds its own. Source: docs/clinical-rules.md.
ALWAYS = ("index", "death", "last_contact")
OF_RESPONSE = ("last_disease_assessment",)
OF_COMBINATION = ("new_therapy",)
BUILT_IN = (*ALWAYS, *OF_RESPONSE, *OF_COMBINATION)

BOUNDS = ("above", "at_least", "below", "at_most", "at_most_of_baseline", "at_least_of_baseline")
# The keys of each kind of sign: those that it must have, and those that it may have.
KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "procedure": (("codelist",), ()),
    "diagnosis": (("codelist",), ("clinical_status",)),
    "drug": (("codelist",), ()),
    "observation": (("codelist",), (*BOUNDS, "equals", "values")),
    "evaluation": ((), BOUNDS),
    "adverse_event": ((), ("codelist", "grade_at_least", "serious")),
    "response": (("outcome",), ()),
    "event": (("event",), ()),
}


def known_events(protocol: Protocol) -> set[str]:
    """Names that endpoints and incidences may use as starts, events and censors."""
    names = {*ALWAYS, *protocol.events}
    if protocol.response:
        names.update(OF_RESPONSE)
    if protocol.exposure.combination:
        names.update(OF_COMBINATION)
    return names


def event_problems(protocol: Protocol) -> Iterator[Problem]:
    """Every problem of the events and of what names them, with the path of the key that it is at."""
    known = known_events(protocol)
    for path, name in named_events(protocol):
        if name not in known:
            yield path, f'"{name}" {_why_unknown(name)}; {did_you_mean(name, known)}'
    for name, event in protocol.events.items():
        yield from _event(protocol, name, event)
    if names := circle(protocol.events):
        yield ("events", names[0]), f"{' ← '.join(names)} are told by each other; break the circle"
    elif protocol.response:
        yield from _endings(protocol)
    for name, population in protocol.populations.items():
        if name in ("treated", "all"):
            yield ("populations", name), "every study has persons of this name; choose another"
        if population.event == "index":
            yield ("populations", name, "event"), "every treated person has it; write `population: treated`"
    for name, endpoint in protocol.endpoints.items():
        yield from _time_to_event(protocol, endpoint, ("endpoints", name))
    for name, incidence in protocol.incidences.items():
        path = ("incidences", name)
        yield from _time_to_event(protocol, incidence, path)
        yield from repeated((*path, "competing"), incidence.competing)
        for number, competing in enumerate(incidence.competing):
            if competing in incidence.events:
                yield (*path, "competing", number), f'"{competing}" is also among the events; remove one'


def named_events(protocol: Protocol) -> Iterator[tuple[KeyPath, str]]:
    """Each place that names an event, with the name."""
    for name, event in protocol.events.items():
        yield from _named_by_event(name, event)
    for name, population in protocol.populations.items():
        yield ("populations", name, "event"), population.event
    for name, endpoint in protocol.endpoints.items():
        yield from _named_by_times(endpoint, ("endpoints", name))
        for variant, events in endpoint.variants.items():
            yield from items(("endpoints", name, "variants", variant), events)
    for name, incidence in protocol.incidences.items():
        yield from _named_by_times(incidence, ("incidences", name))
        yield from items(("incidences", name, "competing"), incidence.competing)
    if protocol.survival_by:
        yield ("survival_by", "event"), protocol.survival_by.event
        yield from items(("survival_by", "same_day_first"), protocol.survival_by.same_day_first)
    if protocol.deaths.after_event is not None:
        yield ("deaths", "after_event"), protocol.deaths.after_event
    if protocol.response:
        yield from items(("response", "ends_at"), protocol.response.ends_at)


def signs_with_paths(name: str, event: NamedEvent) -> Iterator[tuple[KeyPath, Sign]]:
    """The signs of an event, each with where it stands."""
    if event.from_ is not None:
        yield ("events", name), event.signs[0]
    yield from ((("events", name, "any", number), sign) for number, sign in enumerate(event.any))


def _named_by_event(name: str, event: NamedEvent) -> Iterator[tuple[KeyPath, str]]:
    if event.after is not None:
        yield ("events", name, "after"), event.after
    if event.without is not None:
        yield ("events", name, "without"), event.without
    for path, sign in signs_with_paths(name, event):
        if sign.event is not None:
            yield (*path, "event"), sign.event


def _named_by_times(rule: TimeToEvent, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    yield (*path, "start"), rule.start
    yield from items((*path, "events"), rule.events)
    yield from items((*path, "ends_at"), rule.ends_at)
    for number, censoring in enumerate(rule.censor):
        yield (*path, "censor", number, "at"), censoring.at
        if censoring.after is not None:
            yield (*path, "censor", number, "after"), censoring.after


def _event(protocol: Protocol, name: str, event: NamedEvent) -> Iterator[Problem]:
    path: KeyPath = ("events", name)
    if name in BUILT_IN:
        yield path, "every study has an event of this name; choose another"
    forms = [
        key for key, given in (("from", event.from_), ("any", event.any), ("without", event.without)) if given
    ]
    if len(forms) != 1:
        yield path, f"{' and '.join(forms) or 'nothing'} tells it; write one of `from`, `any` and `without`"
    if (event.without is None) != (event.by_day is None):
        yield (
            (*path, "by_day" if event.by_day else "without"),
            "`without` and `by_day` go together; add the other",
        )
    if event.from_ is None:
        yield from (
            ((*path, key), "belongs to a sign; write it beside its `from`")
            for key in Sign.model_fields
            if key != "from_" and getattr(event, key) not in (None, [])
        )
    for at, sign in signs_with_paths(name, event):
        yield from _sign(protocol, sign, at)


def _sign(protocol: Protocol, sign: Sign, path: KeyPath) -> Iterator[Problem]:
    must, may = KEYS[sign.from_]
    given = [key for key in Sign.model_fields if key != "from_" and getattr(sign, key) not in (None, [])]
    for key in must:
        if key not in given:
            yield (*path, key), f"missing; a sign from {sign.from_} needs it"
    for key in given:
        if key not in (*must, *may):
            hint = ", ".join((*must, *may)) or "nothing"
            yield (*path, key), f"says nothing of a sign from {sign.from_}, which has {hint}; remove it"
    section = {"evaluation": "response", "response": "response", "adverse_event": "safety"}.get(sign.from_)
    if section and getattr(protocol, section) is None:
        yield (*path, "from"), f"needs a section `{section}`; add it"
    elif sign.outcome is not None and protocol.response and sign.from_ == "response":
        outcomes = protocol.response.outcomes
        if sign.outcome not in outcomes:
            hint = did_you_mean(sign.outcome, outcomes)
            yield (*path, "outcome"), f'"{sign.outcome}" is no outcome of `response`; {hint}'
    bounds = [key for key in BOUNDS if key in given]
    if bounds and sign.from_ == "observation" and sign.codelist not in protocol.measurements:
        hint = did_you_mean(str(sign.codelist), protocol.measurements)
        yield (*path, bounds[0]), f"numbers need {sign.codelist} among `measurements`, with its unit; {hint}"
    if is_never(sign):
        yield (*path, bounds[0]), "contradicts another bound; nothing can tell this event"


def _endings(protocol: Protocol) -> Iterator[Problem]:
    """Events that would end the assessments that they are told by."""
    for path, name in items(("response", "ends_at"), protocol.response.ends_at if protocol.response else []):
        event = protocol.events.get(name)
        is_of_response = event and any(sign.from_ == "response" for sign in event.signs)
        if name in (*ALWAYS, *OF_RESPONSE) or (event and (is_of_response or any(needs(event)))):
            yield path, f'"{name}" isn\'t told by records alone; name an event that is'


def _time_to_event(protocol: Protocol, rule: TimeToEvent, path: KeyPath) -> Iterator[Problem]:
    if rule.population != "treated" and rule.population not in protocol.populations:
        known = ["treated", *protocol.populations]
        yield (
            (*path, "population"),
            f'"{rule.population}" is not in `populations`; {did_you_mean(rule.population, known)}',
        )
    if rule.start in ("death", "last_contact"):
        yield (
            (*path, "start"),
            f"nothing happens after {rule.start}; name an event that persons live on after",
        )
    if rule.start in rule.events:
        yield (*path, "start"), f'"{rule.start}" is also among the events, at time 0; remove one'
    yield from repeated((*path, "events"), rule.events)
    yield from repeated((*path, "ends_at"), rule.ends_at)
    if rule.assessment_gap_days is not None and protocol.response is None:
        yield (*path, "assessment_gap_days"), "evaluations need a section `response`; add it"
    for number, censoring in enumerate(rule.censor):
        is_last = number == len(rule.censor) - 1
        if is_last and censoring.after is not None:
            yield (
                (*path, "censor", number, "after"),
                "the last must be for everybody; add one without `after`",
            )
        if not is_last and censoring.after is None:
            yield (
                (*path, "censor", number),
                "is for everybody, so that those below never count; write it last",
            )


def _why_unknown(name: str) -> str:
    if name in OF_RESPONSE:
        return "needs a section `response`"
    if name in OF_COMBINATION:
        return "needs `exposure.combination`"
    return "is no event of this protocol"


def items(path: KeyPath, names: Sequence[str]) -> Iterator[tuple[KeyPath, str]]:
    """Each item of a list with its path."""
    return (((*path, number), name) for number, name in enumerate(names))


def repeated(path: KeyPath, names: Sequence[str]) -> Iterator[Problem]:
    """Items that stand in a list twice."""
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (*path, number), f'"{name}" stands here twice; remove one'
