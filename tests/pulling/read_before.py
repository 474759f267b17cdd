"""What every command reads first, read once: `commands` forks from a process that has imported this."""

from __future__ import annotations

import cryptography.hazmat.primitives.asymmetric.rsa
import joserfc.jwk
import joserfc.jwt

import flows.cli
import flows.execute
import flows.pull.pulling
import flows.pulling_step
import flows.steps
from mappers.fhir_types import is_resource

__all__ = ["cryptography", "flows", "joserfc"]

for name in ("Patient", "Observation", "Medication", "MedicationAdministration"):
    is_resource("R4B", name)
