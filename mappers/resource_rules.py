"""The rules on a whole resource that the models of `fhir.resources` don't know: dates in order, doses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mappers.date_order import is_after

Path = tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """Dates of which the earlier can't be after the later; a path leads to each place where it may stand.

    `name` is the field of the later one: the rule is `order:<type>.<name>`.
    """

    resource_type: str
    name: str
    earlier: tuple[Path, ...]
    later: tuple[Path, ...]


ORDERS = (
    # "The date or estimated date that the condition resolved": not before it began.
    Order(
        "Condition",
        "abatement",
        (("onsetDateTime",), ("onsetPeriod", "start")),
        (("abatementDateTime",), ("abatementPeriod", "end")),
    ),
    # Nobody dies before being born.
    Order("Patient", "deceased", (("birthDate",),), (("deceasedDateTime",),)),
    # Invariant mdd-1 of MedicationDispense: "whenHandedOver cannot be before whenPrepared".
    Order("MedicationDispense", "whenHandedOver", (("whenPrepared",),), (("whenHandedOver",),)),
    # What was detected can't have been on record before. http://hl7.org/fhir/R4B/adverseevent.html
    Order("AdverseEvent", "recordedDate", (("detected",),), (("recordedDate",),)),
)

# Fields of which each quantity, wherever within, is an amount of a drug, or of time that it lasts.
DOSED = {
    "MedicationAdministration": ("dosage",),
    "MedicationDispense": ("dosageInstruction", "quantity", "daysSupply"),
    "MedicationRequest": ("dosageInstruction", "dispenseRequest"),
    "MedicationStatement": ("dosage",),
}
# Within these there are no doses: identifiers, times, and whatever an extension says.
NOT_DOSED = frozenset({"timing", "extension", "modifierExtension"})
# An amount below zero, and a rate or limit per an amount of zero.
AMOUNTS = ("negative", "per-zero")


def ordered_types() -> frozenset[str]:
    """The types that have a rule on the order of their dates."""
    return frozenset(order.resource_type for order in ORDERS)


def order_rules(resource_type: str, resource: Mapping[str, Any]) -> Iterator[str]:
    """The rules on the order of dates that a decoded resource breaks."""
    for order in ORDERS:
        if order.resource_type == resource_type:
            later = list(_at(resource, order.later))
            if any(is_after(one, other) for one in _at(resource, order.earlier) for other in later):
                yield f"order:{resource_type}.{order.name}"


def dose_rules(resource_type: str, faults: Iterable[tuple[str, Path]]) -> Iterator[str]:
    """The rules on doses that a resource breaks.

    `faults` are what is wrong with its elements, and where; amounts are `negative` or `per-zero`.
    """
    dosed = DOSED.get(resource_type, ())
    for what, path in faults:
        if what in AMOUNTS and path[0] in dosed and not NOT_DOSED.intersection(path):
            yield f"dose:{what}"


def _at(resource: Mapping[str, Any], paths: Iterable[Path]) -> Iterator[Any]:
    for path in paths:
        value: Any = resource
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None:
            yield value
