"""The rules of response in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reports.rendering.labels import event_label, measurement_of, variable_label
from reports.rendering.words import UNITS, listed, sentence
from studies.protocol import Condition, Criterion, Finding, Measurement, Protocol, Response

SIGNS = (("above", ">"), ("at_least", "≥"), ("below", "<"), ("at_most", "≤"))
OF_BASELINE = (("at_most_of_baseline", "≤"), ("at_least_of_baseline", "≥"))


def response_rules(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Pairs of a name and a sentence: assessments, criteria in their order, and what follows from them."""
    rules, criteria = protocol.response, protocol.response.chosen_set if protocol.response else None
    if rules is None or criteria is None:
        return
    ends = (
        f", and before the first {_joined([event_label(protocol, event) for event in rules.ends_at], 'or')}"
        if rules.ends_at
        else ""
    )
    yield (
        "Assessment",
        f"Each evaluation of {variable_label(protocol, rules.assessment.variable)} after the index date, at or before "
        f"the cut-off{ends}.{_pairs(protocol, rules)}",
    )
    for name, finding in rules.findings.items():
        yield finding.label or sentence(name), _finding(protocol, finding)
    yield "Criteria set", f"{criteria.title}, version {criteria.version}. Source: {criteria.source}"
    for criterion in rules.criteria:
        label = criteria.labels.get(criterion.response)
        meaning = f"{label[:1].upper()}{label[1:]}: " if label else ""
        yield f"{criterion.response} ({rules.criteria_set})", meaning + _criterion(protocol, criterion)
    if criteria.choices:
        yield "Choices of the criteria set", " ".join(criteria.choices)
    main = rules.outcomes[rules.main_outcome].label or sentence(rules.main_outcome)
    certain = (
        f" {main} counts where it is one whatever the missing values were." if rules.counts_certain else ""
    )
    yield (
        "Deciding",
        "In three-valued logic and in this order, the first criterion that is true; where none is true and one can't "
        f"be decided, NE (not evaluable); else NR (no response).{_missing(protocol, rules)}{certain}",
    )
    outcomes = "; ".join(
        f"{outcome.label or sentence(name)} is {listed(outcome.responses, 'or')}"
        for name, outcome in rules.outcomes.items()
    )
    yield (
        "Best response",
        f"The best of a person's assessments: {' > '.join(rules.levels)}; without an assessment NE. {outcomes}.",
    )
    recorded = "".join(f" A recorded {code} is {level} here." for code, level in criteria.recorded_as.items())
    yield (
        "Primary assessment",
        f"The {rules.primary} one"
        + (
            f"; the investigator's stands beside it, with their agreement.{recorded}"
            if rules.investigator
            else "."
        ),
    )


def _pairs(protocol: Protocol, rules: Response) -> str:
    if not rules.pair or rules.window is None:
        return ""
    paired = _joined([variable_label(protocol, variable) for variable in rules.pair], "and")
    return (
        f" It is paired with the nearest {paired} from {rules.window.days_before} days before to "
        f"{rules.window.days_after} days after it; of two as near, the later."
    )


def _finding(protocol: Protocol, finding: Finding) -> str:
    if finding.from_ == "observation":
        return f"The last observation on codelist {finding.codelist} at or before the assessment."
    if finding.from_ == "course":
        return "No dose of an index drug in the same cycle is still to come after the assessment."
    near = f"the date of {variable_label(protocol, finding.near)}" if finding.near else "the assessment"
    return f"A procedure on codelist {finding.codelist} 0 to {finding.days_before} days before {near}."


def _criterion(protocol: Protocol, criterion: Criterion) -> str:
    said = "; ".join(_condition(protocol, condition) for condition in criterion.all)
    if criterion.any:
        said += f"; and {_any(protocol, criterion.any)}"
    if criterion.lasting:
        days, ending = criterion.lasting.days, _any(protocol, criterion.lasting.contradicted_by)
        contact = ", with a contact on or after the last of them" if criterion.lasting.needs_contact else ""
        said += f"; for {days} days: no later assessment within them has {ending}{contact}"
    return f"{said}."


def _any(protocol: Protocol, conditions: Sequence[Condition]) -> str:
    return " or ".join(_condition(protocol, condition) for condition in conditions)


def _missing(protocol: Protocol, rules: Response) -> str:
    said = [
        f"{variable_label(protocol, name)} is taken as {_value(meaning)}"
        for name, meaning in rules.meanings.items()
    ]
    return f" Where there is no value, {_joined(said, 'and')}." if said else ""


def _value(meaning: bool | float) -> str:
    return ("yes" if meaning else "no") if isinstance(meaning, bool) else f"{meaning:g}"


def _condition(protocol: Protocol, condition: Condition) -> str:
    unit = unit_words(protocol.measurements, measurement_of(protocol, condition.variable))
    said = [
        f"{sign} {getattr(condition, key):g}{unit}"
        for key, sign in SIGNS
        if getattr(condition, key) is not None
    ]
    for key, sign in OF_BASELINE:
        if getattr(condition, key) is not None:
            said.append(f"{sign} {getattr(condition, key):g} of the baseline")
    if condition.equals is not None:
        said.append("yes" if condition.equals else "no")
    return f"{variable_label(protocol, condition.variable)} {' and '.join(said)}"


def unit_words(measurements: Mapping[str, Measurement], name: str) -> str:
    """The unit of a measurement after a space; nothing for what has none."""
    if name not in measurements:
        return ""
    unit = measurements[name].unit
    return f" {UNITS.get(unit, unit)}"


def _joined(said: Sequence[str], last: str) -> str:
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} {last} {said[-1]}"
