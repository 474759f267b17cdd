"""`cove doctor` before a real FHIR server: what it says is what that server then does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.doctor.examined import LINE
from tests.servers.changes import group_of
from tests.servers.hospital import Hospital
from tests.servers.warehouse import Home

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.xdist_group("hapi")]


def said(home: Home, base: str, **keys: Any) -> Mapping[str, str]:
    """The verdict and text of each check; the command must end with 0."""
    home.configure(url=base, **keys)
    out = home.cove("doctor", "--config", str(home.folder / "cove.toml"))
    found = [LINE.fullmatch(line) for line in out.splitlines()]
    return {match[3]: f"{match[1]}: {match[4]}" for match in found if match and match[2] == "hospital"}


@pytest.mark.parametrize("name", ["rest", "system", "patient", "group"])
def test_a_real_server_is_ready(hospital: Hospital, home: Home, name: str) -> None:
    keys: dict[str, Any] = {"source": "rest", "deletions": "history"}
    if name != "rest":
        keys["source"] = "bulk"
    if name == "system":
        keys["level"] = "system"
    if name == "group":
        members = sorted(patient["id"] for patient in hospital.search("Patient"))[:3]
        keys["group"] = group_of(hospital, members)
    lines = said(home, hospital.base, **keys)
    assert lines["capable"] == "ok: FHIR 4.0.1 (R4)"
    for check in ("reachable", "clock", "authorised", "types", "increments", "deletions"):
        assert lines[check].startswith("ok: "), lines
    for check in ("Patient", "Observation", "Condition", "Encounter", "MedicationRequest", "Procedure"):
        assert lines[check] == "ok: mapped", lines
    if name != "rest":
        assert lines["export"].startswith("ok: "), lines
    if name == "group":
        assert lines["group"] == "ok: is there, with 3 members"
    assert not home.home.exists()
