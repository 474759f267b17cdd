"""What is wrong only in view of another part of a protocol: undeclared names, parts that are off."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from studies.comparator_checks import comparator_problems
from studies.criteria_checks import Problem, criteria_problems, numeric_variables
from studies.ctcae import ctcae_rows
from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import Laboratory, Protocol, Response
from studies.validity import FAMILIES, is_rule_name

# What every study has by itself; `events` of the protocol adds its own. Source: docs/clinical-rules.md.
ALWAYS = ("index", "death", "last_contact")
OF_RESPONSE = ("remission", "relapse", "failure", "last_disease_assessment")
OF_COMBINATION = ("new_therapy",)

# Schemas of the warehouse that are no study's.
RESERVED_IDS = (
    "clinical",
    "current",
    "fhir",
    "meta",
    "quality",
    "main",
    "temp",
    "system",
    "information_schema",
    "pg_catalog",
)


def named_codelists(protocol: Protocol) -> Iterator[tuple[KeyPath, str]]:
    """Each place that names a codelist, with the name; a measurement's codelist has its own name."""
    population, baseline, deaths = protocol.population, protocol.baseline, protocol.deaths
    places: list[tuple[KeyPath, str | None]] = [
        (("population", "index_drug", "codelist"), population.index_drug.codelist),
        (("population", "index_drug", "routes"), population.index_drug.routes),
        (("baseline", "prior_regimens"), baseline.prior_regimens),
        (("baseline", "refractory"), baseline.refractory),
        (("baseline", "completed_follow_up"), baseline.completed_follow_up),
        (("deaths", "codelist"), deaths.codelist),
        (("deaths", "discharge"), deaths.discharge),
        (("deaths", "cause"), deaths.cause),
    ]
    if population.diagnosis:
        places.append((("population", "diagnosis", "codelist"), population.diagnosis.codelist))
    if protocol.exposure.combination:
        places.append((("exposure", "combination", "codelist"), protocol.exposure.combination.codelist))
    places += [(("baseline", "phenotype", level), name) for level, name in baseline.phenotype.items()]
    places += [(("measurements", name), name) for name in protocol.measurements]
    places += [(("events", name, "codelist"), event.codelist) for name, event in protocol.events.items()]
    if protocol.response:
        places += _codelists_of_response(protocol.response)
    return ((path, name) for path, name in places if name is not None)


def _codelists_of_response(response: Response) -> list[tuple[KeyPath, str | None]]:
    places: list[tuple[KeyPath, str | None]] = [
        (("response", "investigator"), response.investigator),
        (("response", "extramedullary"), response.extramedullary),
        (("response", "relapse", "item"), response.relapse.item),
        (("response", "relapse", "codelist"), response.relapse.codelist),
    ]
    if response.transfusion:
        places.append((("response", "transfusion", "codelist"), response.transfusion.codelist))
    return places


def protocol_problems(protocol: Protocol) -> list[Problem]:
    """Every problem across the protocol's sections, with the path of the key that it is at."""
    problems = [
        *_study_problems(protocol),
        *_baseline_problems(protocol),
        *_event_problems(protocol),
        *_subgroup_problems(protocol),
        *_decision_problems(protocol),
        *comparator_problems(protocol),
        *_quality_problems(protocol),
    ]
    if protocol.response:
        problems += [*_response_problems(protocol, protocol.response), *criteria_problems(protocol.response)]
    if protocol.safety and protocol.safety.laboratory:
        problems += _laboratory_problems(protocol, protocol.safety.laboratory)
    return problems


def known_events(protocol: Protocol) -> set[str]:
    """Names that endpoints and incidences may use as starts, events and censors."""
    names = {*ALWAYS, *protocol.events}
    if protocol.response:
        names.update(OF_RESPONSE)
    if protocol.exposure.combination:
        names.update(OF_COMBINATION)
    return names


def _study_problems(protocol: Protocol) -> Iterator[Problem]:
    if protocol.id in RESERVED_IDS:
        yield ("id",), f'"{protocol.id}" is kept for the warehouse; choose another id'
    if protocol.data_cutoff is not None and not _is_date(protocol.data_cutoff):
        yield ("data_cutoff",), "not a date of the calendar; write YYYY-MM-DD"
    yield from _repeated(("population", "index_drug", "evidence"), protocol.population.index_drug.evidence)
    yield from _repeated(("deaths", "order"), protocol.deaths.order)
    yield from _not_rising(("analyses", "report_weeks"), protocol.analyses.report_weeks)


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _baseline_problems(protocol: Protocol) -> Iterator[Problem]:
    if protocol.baseline.age_at_diagnosis and protocol.population.diagnosis is None:
        yield ("baseline", "age_at_diagnosis"), "needs `population.diagnosis`; add it, or write false"
    if "unknown" in protocol.baseline.phenotype:
        yield ("baseline", "phenotype", "unknown"), "is the level of those on no codelist; remove it"


def _event_problems(protocol: Protocol) -> Iterator[Problem]:
    known = known_events(protocol)
    path: KeyPath
    for name in protocol.events:
        if name in (*ALWAYS, *OF_RESPONSE, *OF_COMBINATION):
            yield ("events", name), "every study has an event of this name; choose another"
    for path, name in _named_events(protocol):
        if name not in known:
            yield path, f'"{name}" {_why_unknown(name)}; {did_you_mean(name, known)}'
    for name, endpoint in protocol.endpoints.items():
        path = ("endpoints", name)
        if endpoint.population == "responders" and protocol.response is None:
            yield (*path, "population"), "responders need a section `response`; add it, or write treated"
        if (endpoint.failure_day is not None) != ("failure" in endpoint.events):
            yield (
                (*path, _failure_key(endpoint.failure_day)),
                "failure and `failure_day` go together; add the other",
            )
        yield from _repeated((*path, "events"), endpoint.events)
    for name, incidence in protocol.incidences.items():
        path = ("incidences", name)
        yield from _repeated((*path, "events"), incidence.events)
        for number, event in enumerate(incidence.competing):
            if event in incidence.events:
                yield (*path, "competing", number), f'"{event}" is also among the events; remove one'
        yield from _not_rising((*path, "weeks"), incidence.weeks or [])
    if protocol.survival_by:
        yield from _not_rising(("survival_by", "landmarks"), protocol.survival_by.landmarks)


def _quality_problems(protocol: Protocol) -> Iterator[Problem]:
    path: KeyPath = ("quality", "fatal_rules")
    for number, rule in enumerate(protocol.quality.fatal_rules):
        if not is_rule_name(rule):
            family = rule.partition(":")[0]
            nearest = did_you_mean(family, FAMILIES)
            yield (
                (*path, number),
                f'"{rule}" is no rule, or family of rules, of the full validation; {nearest}',
            )
    yield from _repeated(path, protocol.quality.fatal_rules)


def _failure_key(failure_day: int | None) -> str:
    return "events" if failure_day is None else "failure_day"


def _why_unknown(name: str) -> str:
    if name in OF_RESPONSE:
        return "needs a section `response`"
    if name in OF_COMBINATION:
        return "needs `exposure.combination`"
    return "is no event of this protocol"


def _named_events(protocol: Protocol) -> Iterator[tuple[KeyPath, str]]:
    path: KeyPath
    for name, endpoint in protocol.endpoints.items():
        path = ("endpoints", name)
        yield (*path, "start"), endpoint.start
        yield from _items((*path, "events"), endpoint.events)
        for key in ("censor", "censor_after_remission"):
            if (censor := getattr(endpoint, key)) is not None:
                yield (*path, key), censor
        for variant, events in endpoint.variants.items():
            yield from _items((*path, "variants", variant), events)
    for name, incidence in protocol.incidences.items():
        path = ("incidences", name)
        yield from _items((*path, "events"), incidence.events)
        yield from _items((*path, "competing"), incidence.competing)
        yield (*path, "censor"), incidence.censor
    if protocol.survival_by:
        yield ("survival_by", "event"), protocol.survival_by.event
    if protocol.deaths.after_event is not None:
        yield ("deaths", "after_event"), protocol.deaths.after_event
    if protocol.response:
        yield from _items(("response", "ends_at"), protocol.response.ends_at)


def _items(path: KeyPath, names: Sequence[str]) -> Iterator[tuple[KeyPath, str]]:
    return (((*path, number), name) for number, name in enumerate(names))


def _response_problems(protocol: Protocol, response: Response) -> Iterator[Problem]:
    path: KeyPath = ("response",)
    measured = [((*path, "assessment"), response.assessment)]
    measured += [((*path, "pair", name), measurement) for name, measurement in response.pair.items()]
    for at, measurement in measured:
        yield from _unknown(at, measurement, protocol.measurements, "is not in `measurements`")
    if response.primary == "investigator" and response.investigator is None:
        yield (*path, "primary"), "investigator needs `response.investigator`, a codelist; add it"
    if response.relapse.extramedullary and response.extramedullary is None:
        yield (*path, "relapse", "extramedullary"), "needs `response.extramedullary`; add it, or write false"
    assumable = {*numeric_variables(response), "extramedullary"} - {response.assessment}
    for at, name in _items((*path, "missing_means_none"), response.missing_means_none):
        yield from _unknown(at, name, assumable, "is neither paired nor an item")
    decided = [criterion.response for criterion in response.criteria]
    for key, names in (("remission", response.remission), ("overall", response.overall)):
        for at, name in _items((*path, key), names):
            yield from _unknown(at, name, decided, "is no response of `criteria`")


def _laboratory_problems(protocol: Protocol, laboratory: Laboratory) -> Iterator[Problem]:
    rows = [row for row in ctcae_rows() if row.version == laboratory.ctcae_version]
    path: KeyPath = ("safety", "laboratory", "tests")
    terms = [test.term for test in laboratory.tests]
    for number, test in enumerate(laboratory.tests):
        term_path, measurement_path = (*path, number, "term"), (*path, number, "measurement")
        graded = [row for row in rows if row.term == test.term]
        if not graded:
            hint = did_you_mean(test.term, {row.term for row in rows})
            yield term_path, f'"{test.term}" isn\'t graded in CTCAE {laboratory.ctcae_version}; {hint}'
        if test.term in terms[:number]:
            yield term_path, f'"{test.term}" stands here twice; remove one'
        yield from _unknown(
            measurement_path, test.measurement, protocol.measurements, "is not in `measurements`"
        )
        unit = next((row.unit for row in graded if row.unit), None)
        kept = protocol.measurements.get(test.measurement)
        if unit and kept and kept.unit != unit:
            yield (
                ("measurements", test.measurement, "unit"),
                f'"{test.term}" is graded in {unit}; keep it in that unit',
            )


def _subgroup_problems(protocol: Protocol) -> Iterator[Problem]:
    baseline = protocol.baseline
    available = {
        "phenotype": bool(baseline.phenotype),
        "regimen": protocol.exposure.combination is not None,
        "refractory": baseline.refractory is not None,
    }
    taken = {"all", "site"} | ({protocol.survival_by.event} if protocol.survival_by else set())
    for name, subgroup in protocol.subgroups.items():
        path: KeyPath = ("subgroups", name)
        if name in taken:
            yield path, "a group of this name is there already; choose another"
        if not available.get(subgroup.variable, True):
            yield (
                (*path, "variable"),
                f"{subgroup.variable} is off in this protocol; turn it on or remove this",
            )
        if (subgroup.variable == "age") != bool(subgroup.cuts):
            yield (*path, "cuts"), "age needs cuts, and nothing else has them; write for example [12]"
        yield from _not_rising((*path, "cuts"), subgroup.cuts)


def _decision_problems(protocol: Protocol) -> Iterator[Problem]:
    if protocol.decision is None:
        return
    analyses = ["response.remission", "response.overall"] if protocol.response else []
    names = [threshold.name for threshold in protocol.decision.thresholds]
    for number, threshold in enumerate(protocol.decision.thresholds):
        path: KeyPath = ("decision", "thresholds", number)
        yield from _unknown(
            (*path, "analysis"), threshold.analysis, analyses, "is no proportion of this protocol"
        )
        if threshold.name in names[:number]:
            yield (*path, "name"), f'"{threshold.name}" stands here twice; rename one'


def _unknown(path: KeyPath, name: str, known: Collection[str], problem: str) -> Iterator[Problem]:
    if name not in known:
        yield path, f'"{name}" {problem}; {did_you_mean(name, known)}'


def _repeated(path: KeyPath, names: Sequence[str]) -> Iterator[Problem]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (*path, number), f'"{name}" stands here twice; remove one'


def _not_rising(path: KeyPath, numbers: Sequence[float]) -> Iterator[Problem]:
    for number in range(1, len(numbers)):
        if numbers[number] <= numbers[number - 1]:
            yield (*path, number), "not greater than the one before; write them rising, each once"
