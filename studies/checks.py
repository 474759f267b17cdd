"""What is wrong only in view of another part of a protocol: undeclared names, parts that are off."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date

from studies.analysis_checks import GROUPS, analysis_problems
from studies.comparator_checks import comparator_problems
from studies.control_checks import control_problems
from studies.criteria_checks import Problem, criteria_problems, missing_problems, numeric_variables
from studies.ctcae import ctcae_rows
from studies.decision_checks import decision_problems
from studies.event_checks import event_problems, repeated, signs_with_paths
from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import Laboratory, Protocol, Response
from studies.validity import FAMILIES, is_rule_name
from studies.variation_checks import variation_problems
from studies.variations import changed_key, varied_protocol

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
    """Each place that names a codelist, those of variations too, with the name."""
    yield from own_codelists(protocol)
    for name in protocol.sensitivity:
        for path, codelist in own_codelists(varied_protocol(protocol, name)):
            if (changed := changed_key(protocol, name, path)) is not None:
                yield changed, codelist


def unit_problems(protocol: Protocol, is_unit: Callable[[str], bool]) -> Iterator[Problem]:
    """Measurements that would be kept in what is no unit, so that no value could be converted to it."""
    for name, measurement in protocol.measurements.items():
        if not is_unit(measurement.unit):
            message = (
                f'"{measurement.unit}" is no unit of UCUM; write it as there, such as "10*9/L" or "mg/dL"'
            )
            yield ("measurements", name, "unit"), message


def own_codelists(protocol: Protocol) -> Iterator[tuple[KeyPath, str]]:
    """Each place outside the variations that names a codelist, with the name; that of a measurement is its own."""
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
    if protocol.control:
        places.append((("control", "codelist"), protocol.control.codelist))
    if population.diagnosis:
        places.append((("population", "diagnosis", "codelist"), population.diagnosis.codelist))
    if protocol.exposure.combination:
        places.append((("exposure", "combination", "codelist"), protocol.exposure.combination.codelist))
    places += [(("baseline", "phenotype", level), name) for level, name in baseline.phenotype.items()]
    places += [(("measurements", name), name) for name in protocol.measurements]
    for name, event in protocol.events.items():
        for path, sign in signs_with_paths(name, event):
            places += [((*path, "codelist"), sign.codelist), ((*path, "values"), sign.values)]
    if protocol.response:
        places += _codelists_of_response(protocol.response)
    return ((path, name) for path, name in places if name is not None)


def _codelists_of_response(response: Response) -> list[tuple[KeyPath, str | None]]:
    places: list[tuple[KeyPath, str | None]] = [
        (("response", "investigator"), response.investigator),
    ]
    for name, finding in response.findings.items():
        places.append((("response", "findings", name, "codelist"), finding.codelist))
    return places


def protocol_problems(protocol: Protocol) -> list[Problem]:
    """Every problem across the protocol's sections, with the path of the key that it is at."""
    problems = _section_problems(protocol)
    if not _has_criteria(protocol):
        return problems
    return [*problems, *variation_problems(protocol, _section_problems)]


def _has_criteria(protocol: Protocol) -> bool:
    """Whether the response's criteria are there, if it has a response: without them most names mean nothing."""
    return protocol.response is None or protocol.response.chosen_set is not None


def _section_problems(protocol: Protocol) -> list[Problem]:
    if protocol.response and not _has_criteria(protocol):
        return list(_response_problems(protocol, protocol.response))
    problems = [
        *_study_problems(protocol),
        *_baseline_problems(protocol),
        *event_problems(protocol),
        *analysis_problems(protocol),
        *_week_problems(protocol),
        *_subgroup_problems(protocol),
        *_comparison_problems(protocol),
        *decision_problems(protocol),
        *comparator_problems(protocol),
        *control_problems(protocol),
        *_quality_problems(protocol),
    ]
    if protocol.response:
        problems += [*_response_problems(protocol, protocol.response), *criteria_problems(protocol.response)]
    if protocol.safety and protocol.safety.laboratory:
        problems += _laboratory_problems(protocol, protocol.safety.laboratory)
    return problems


def _study_problems(protocol: Protocol) -> Iterator[Problem]:
    if protocol.id in RESERVED_IDS:
        yield ("id",), f'"{protocol.id}" is kept for the warehouse; choose another id'
    if protocol.data_cutoff is not None and not _is_date(protocol.data_cutoff):
        yield ("data_cutoff",), "not a date of the calendar; write YYYY-MM-DD"
    yield from repeated(("population", "index_drug", "evidence"), protocol.population.index_drug.evidence)
    yield from repeated(("deaths", "order"), protocol.deaths.order)
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


def _week_problems(protocol: Protocol) -> Iterator[Problem]:
    for name, incidence in protocol.incidences.items():
        yield from _not_rising(("incidences", name, "weeks"), incidence.weeks or [])
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
    yield from repeated(path, protocol.quality.fatal_rules)


def _response_problems(protocol: Protocol, response: Response) -> Iterator[Problem]:
    path: KeyPath = ("response",)
    measured = [((*path, "assessment", "measurement"), response.assessment.measurement)]
    measured += [((*path, "pair", name), measurement) for name, measurement in response.pair.items()]
    for at, measurement in measured:
        yield from _unknown(at, measurement, protocol.measurements, "is not in `measurements`")
    if response.primary == "investigator" and response.investigator is None:
        yield (*path, "primary"), "investigator needs `response.investigator`, a codelist; add it"
    yield from _finding_problems(response)
    known = numeric_variables(response) | set(response.findings)
    for variable, meaning in response.missing_means.items():
        yield from missing_problems(response, variable, meaning, (*path, "missing_means", variable), known)
    if response.chosen_set is None:
        hint = did_you_mean(response.set_name, response.criteria_sets)
        yield (*path, "criteria_set"), f"no file criteria/{response.set_name}.yaml; {hint}"
    elif response.criteria_set != f"{response.set_name} {response.chosen_set.version}":
        yield (
            (*path, "criteria_set"),
            f"criteria/{response.set_name}.yaml has version {response.chosen_set.version}; write that",
        )


def _finding_problems(response: Response) -> Iterator[Problem]:
    keys = {"observation": ("codelist",), "procedure": ("codelist", "days_before", "near"), "course": ()}
    for name, finding in response.findings.items():
        path: KeyPath = ("response", "findings", name)
        if name in numeric_variables(response):
            yield path, "a measured variable has this name; choose another"
        given = [key for key in ("codelist", "days_before", "near") if getattr(finding, key) is not None]
        for key in keys[finding.from_]:
            if key not in given and key != "near":
                yield (*path, key), f"missing; a finding from {finding.from_} needs it"
        for key in given:
            if key not in keys[finding.from_]:
                yield (*path, key), f"says nothing of a finding from {finding.from_}; remove it"
        if finding.near is not None:
            yield from _unknown((*path, "near"), finding.near, response.pair, "is no paired variable")


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
    taken = {*GROUPS} | ({protocol.survival_by.event} if protocol.survival_by else set())
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


def _comparison_problems(protocol: Protocol) -> Iterator[Problem]:
    groupings = {"site", *protocol.subgroups}
    if protocol.survival_by:
        groupings.add(protocol.survival_by.event)
    for name, comparison in protocol.comparisons.items():
        path: KeyPath = ("comparisons", name)
        yield from _unknown(
            (*path, "incidence"), comparison.incidence, protocol.incidences, "is not in `incidences`"
        )
        yield from _unknown((*path, "by"), comparison.by, groupings, "is no grouping of this protocol")
        yield from repeated((*path, "methods"), comparison.methods)


def _unknown(path: KeyPath, name: str, known: Collection[str], problem: str) -> Iterator[Problem]:
    if name not in known:
        yield path, f'"{name}" {problem}; {did_you_mean(name, known)}'


def _not_rising(path: KeyPath, numbers: Sequence[float]) -> Iterator[Problem]:
    for number in range(1, len(numbers)):
        if numbers[number] <= numbers[number - 1]:
            yield (*path, number), "not greater than the one before; write them rising, each once"
