"""The rules of response in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reports.rendering.words import UNITS, listed
from studies.protocol import Condition, Measurement, Response

SIGNS = (("above", ">"), ("at_least", "≥"), ("below", "<"), ("at_most", "≤"))


def response_rules(rules: Response, measurements: Mapping[str, Measurement]) -> Iterator[tuple[str, str]]:
    """Pairs of a name and a sentence: assessments, criteria in their order, and what follows from them."""
    yield (
        "Assessment",
        f"Each evaluation of {_said(rules.assessment)} after the index date, at or before the cut-off"
        + (f", and before the first {listed(rules.ends_at, 'or')}" if rules.ends_at else "")
        + f". It is paired with the nearest {listed(list(rules.pair))} from {rules.pair_days_before} days before to "
        f"{rules.pair_days_after} days after it; of two as near, the later"
        + (
            "; and with the last item on extramedullary disease at or before it."
            if rules.extramedullary
            else "."
        ),
    )
    if rules.transfusion is not None:
        yield (
            "Transfused",
            f"A procedure on codelist {rules.transfusion.codelist} 0 to {rules.transfusion.days_before} days before "
            "the platelet count's date.",
        )
    for criterion in rules.criteria:
        every = "; ".join(_condition(condition, measurements) for condition in criterion.all)
        some = " or ".join(_condition(condition, measurements) for condition in criterion.any)
        yield f"{criterion.response} ({rules.criteria_set})", every + (f"; and {some}." if some else ".")
    yield (
        "Deciding",
        "In three-valued logic and in this order, the first criterion that is true; where none is true and one can't "
        "be decided, NE (not evaluable); else NR (no response)."
        + (
            f" A missing value is taken as none for {listed(rules.missing_means_none)}."
            if rules.missing_means_none
            else ""
        )
        + (
            " A remission counts where it is one whatever the missing values were."
            if rules.certain_remission
            else ""
        ),
    )
    order = " > ".join([*dict.fromkeys(criterion.response for criterion in rules.criteria), "NR", "NE"])
    yield (
        "Best response",
        f"The best of a person's assessments: {order}; without an assessment NE. Remission is "
        f"{listed(rules.remission, 'or')}; overall response is {listed(rules.overall, 'or')}.",
    )
    yield (
        "Primary assessment",
        f"The {rules.primary} one"
        + ("; the investigator's stands beside it, with their agreement." if rules.investigator else "."),
    )


def _condition(condition: Condition, measurements: Mapping[str, Measurement]) -> str:
    unit = unit_words(measurements, condition.variable)
    bounds = [(sign, getattr(condition, name)) for name, sign in SIGNS]
    said = [f"{sign} {value:g}{unit}" for sign, value in bounds if value is not None]
    if condition.at_most_of_baseline is not None:
        said.append(f"≤ {condition.at_most_of_baseline:g} of the baseline")
    if condition.equals is not None:
        said.append("yes" if condition.equals else "no")
    return f"{_said(condition.variable)} {' and '.join(said)}"


def unit_words(measurements: Mapping[str, Measurement], name: str) -> str:
    """The unit of a measurement after a space; nothing for what has none."""
    if name not in measurements:
        return ""
    unit = measurements[name].unit
    return f" {UNITS.get(unit, unit)}"


def _said(name: str) -> str:
    return listed([name])
