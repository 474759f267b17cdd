"""The codes that the standard requires in a field, read from the models of `fhir.resources`.

The models list the codes of a field that is bound to a fixed set (`required` binding), as the one-line definition of
the element has them. Where that line ends in `+` it isn't complete, and the rest stands here.
"""

from __future__ import annotations

import functools

from mappers.fhir_types import model_of

# The value sets that the one-line definitions shorten with a `+`.
OBSERVATION_STATUS = (  # http://hl7.org/fhir/ValueSet/observation-status, the same in R4, R4B and R5
    "registered",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "cancelled",
    "entered-in-error",
    "unknown",
)
ENCOUNTER_STATUS = (  # http://hl7.org/fhir/R4B/valueset-encounter-status.html
    "planned",
    "arrived",
    "triaged",
    "in-progress",
    "onleave",
    "finished",
    "cancelled",
    "entered-in-error",
    "unknown",
)
COMPLETED = {
    ("R4B", "Observation", "status"): OBSERVATION_STATUS,
    ("R5", "Observation", "status"): OBSERVATION_STATUS,
    ("R4B", "Encounter", "status"): ENCOUNTER_STATUS,
    ("R4B", "EncounterStatusHistory", "status"): ENCOUNTER_STATUS,
}
# Bound to a fixed set that the models don't list: http://hl7.org/fhir/ValueSet/quantity-comparator. R5 added `ad`.
COMPARATORS = {"R4B": ("<", "<=", ">=", ">"), "R5": ("<", "<=", ">=", ">", "ad")}
QUANTITIES = ("Quantity", "Age", "Count", "Distance", "Duration")

# Lists that end so name examples: `Expression.language` takes any media type.
OPEN_ENDED = ("+", "etc.")


@functools.cache
def required_codes(version: str, type_name: str) -> dict[str, frozenset[str]]:
    """JSON name → the codes that may stand there, for the fields of a FHIR type that are bound to a fixed set."""
    found = {}
    for name, info in model_of(version, type_name).model_fields.items():
        extra = info.json_schema_extra
        listed = extra.get("enum_values") if isinstance(extra, dict) else None
        json_name = info.alias or name
        codes = COMPLETED.get((version, type_name, json_name), listed)
        if codes and not any(mark in codes for mark in OPEN_ENDED):
            found[json_name] = frozenset(codes)
    if type_name in QUANTITIES:
        found["comparator"] = frozenset(COMPARATORS[version])
    return found
