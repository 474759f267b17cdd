"""Taken apart or as a whole, `fhir.resources` has one verdict on a resource."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from mappers.validation import Validator
from tests.validation.resources import RIGHT, right
from tests.validation.whole import accepts, encoded, made_wrong

MIMIC = Path(__file__).parents[3] / "shared" / "data" / "mimic-iv-fhir-demo"
EACH = [(version, kind) for version, kinds in RIGHT.items() for kind in kinds]


def is_valid(validator: Validator, resource: dict[str, object], version: str) -> bool:
    found = validator.rules(encoded(resource), str(resource["resourceType"]), version)
    return not any(rule.startswith("invalid") for rule in found)


@pytest.mark.parametrize(("version", "kind"), EACH)
def test_resources_made_wrong_in_places_are_judged_as_wholes_are(version: str, kind: str) -> None:
    draw = random.Random(f"{version} {kind}")
    validator = Validator()
    refused = 0
    for _ in range(150):
        resource = made_wrong(right(version, kind), draw)
        if draw.random() < 0.3:
            resource = made_wrong(resource, draw)
        expected = accepts(resource, version)
        assert is_valid(validator, resource, version) == expected, json.dumps(resource)
        refused += not expected
    assert 30 < refused < 150


@pytest.mark.skipif(not MIMIC.exists(), reason="the MIMIC-IV demo isn't at ../shared/data")
def test_real_resources_are_judged_as_wholes_are() -> None:
    draw = random.Random(4)
    validator = Validator()
    judged = set()
    for path in sorted(MIMIC.rglob("*.ndjson.gz")):
        with gzip.open(path) as lines:
            resources = [json.loads(line) for _, line in zip(range(10), lines, strict=False)]
        if resources[0]["resourceType"] not in RIGHT["R4B"]:
            continue
        for resource in resources:
            assert is_valid(validator, resource, "R4B") and accepts(resource, "R4B")
            for _ in range(5):
                wrong = made_wrong(resource, draw)
                # No value of a real resource is shown.
                assert is_valid(validator, wrong, "R4B") == accepts(wrong, "R4B"), path.name
                judged.add(resource["resourceType"])
    assert judged >= {"Observation", "Patient", "MedicationAdministration"}
