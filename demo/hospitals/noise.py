"""What real exports hold beside: types that nobody asked for, unknown fields, and lines that can't be read."""

from __future__ import annotations

from demo.hospitals.dialect import Resource, tagged


def not_asked_for(letter: str) -> list[Resource]:
    """Resources of types that no view takes."""
    return [
        tagged("Organization", f"hospital-{letter}", active=True),
        tagged("Location", f"ward-{letter}", status="active"),
    ]


def with_unknown_fields(resource: Resource) -> Resource:
    """The same resource, with a field that FHIR doesn't have."""
    return {**resource, "simulatedBy": {"version": 1, "notes": ["kept by nobody"]}}


BROKEN_LINES = (
    '{"resourceType":"Observation","id":"cut","status":"final","code":{"te',
    '{"resourceType":"Observation","id":"typed","status":"final","code":{"text":"x"},"effectiveDateTime":20200101}',
)
