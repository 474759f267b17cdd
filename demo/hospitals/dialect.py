"""How one hospital writes FHIR: its version, vocabularies, units, times, references, and what it uses for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from demo.hospitals.codes import UCUM, VOCABULARIES, Coding

Resource = dict[str, Any]
Exposure = Literal[
    "MedicationAdministration", "MedicationDispense", "MedicationStatement", "MedicationRequest"
]

TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
BASE = "https://{letter}.example/fhir"


@dataclass(frozen=True)
class Unit:
    """A unit as a hospital writes it: how many of it are one of ours. `code` is empty where it sends text only."""

    text: str
    per_unit: Decimal = Decimal(1)
    code: str = ""


@dataclass(frozen=True)
class Dialect:
    """One hospital's way of writing. `private` codes are the hospital's own, told by ConceptMaps."""

    letter: str
    version: Literal["R4", "R5"] = "R4"
    vocabularies: tuple[str, ...] = ("snomed", "icd-10-cm", "rxnorm", "atc", "loinc", "cove", "hl7")
    private: bool = False
    exposure: Exposure = "MedicationAdministration"
    drug_as: Literal["concept", "reference", "contained", "ingredient"] = "concept"
    counts_as_panel: bool = False
    values_as_text: bool = False
    events_as_conditions: bool = False
    time_zone: str = "+09:00"
    units: Mapping[str, Unit] = field(default_factory=dict)

    @property
    def is_r5(self) -> bool:
        return self.version == "R5"

    @property
    def system(self) -> str:
        """The system of the hospital's own codes."""
        return f"https://{self.letter}.example/codes"

    def codings(self, name: str) -> list[dict[str, str]]:
        """The codings of a name: of every vocabulary that knows it, or the hospital's own."""
        if self.private:
            return [{"system": self.system, "code": local_code(name), "display": name}]
        return [coding_of(found, name) for found in self.standard(name)]

    def standard(self, name: str) -> list[Coding]:
        """The name in the vocabularies of the hospital."""
        return [VOCABULARIES[v][name] for v in self.vocabularies if name in VOCABULARIES[v]]

    def concept(self, name: str) -> Resource:
        """A CodeableConcept."""
        return {"coding": self.codings(name), "text": name}

    def time(self, on: date, hour: int) -> str:
        """An instant as the hospital writes it. Korea's afternoon is the same day in UTC."""
        if self.time_zone == "Z":
            return f"{on.isoformat()}T{hour - 9:02d}:00:00Z"
        return f"{on.isoformat()}T{hour:02d}:00:00{self.time_zone}"

    def quantity(self, concept: str, value: Decimal, unit: str) -> Resource:
        """A value in the hospital's unit."""
        written = self.units.get(concept, Unit(unit, code=unit))
        number = value * written.per_unit
        quantity: Resource = {"value": plain(number)}
        if written.text:
            quantity["unit"] = written.text
        if written.code:
            quantity |= {"system": UCUM, "code": written.code}
        return quantity


def local_code(name: str) -> str:
    """A hospital's own code, which says nothing to anybody else."""
    return "L" + str(sum((position + 7) * ord(letter) for position, letter in enumerate(name)))


def coding_of(found: Coding, display: str) -> dict[str, str]:
    """A Coding."""
    return {"system": found[0], "code": found[1], "display": display}


def plain(number: Decimal) -> int | float:
    """The number as JSON has it."""
    return int(number) if number == number.to_integral_value() else float(number)


def tagged(resource_type: str, identity: str, **content: Any) -> Resource:
    """A resource that says of itself that it is test data; fields without content are left out."""
    kept = {name: value for name, value in content.items() if value not in (None, "", [], {})}
    return {"resourceType": resource_type, "id": identity, "meta": {"tag": [TEST_DATA]}, **kept}
