"""FHIR's types as the models of `fhir.resources` give them: elements, lists, choices.

Read from the models when a type is first asked for, and kept. Nothing is written down by hand but
`R4_DIFFERS`.
"""

from __future__ import annotations

import difflib
import importlib
import typing
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any

VERSIONS = ("R4B", "R5")

# R4 has no models of its own in fhir.resources. R4B kept every element that R4's clinical resources have,
# so they are read by its models; the types below are R4's only, and R4B took them away or gave the name a
# new content.
R4_DIFFERS = MappingProxyType(
    {
        "EffectEvidenceSynthesis": "withdrawn in R4B",
        "RiskEvidenceSynthesis": "withdrawn in R4B",
        "MedicinalProduct": "became MedicinalProductDefinition in R4B",
        "MedicinalProductAuthorization": "became RegulatedAuthorization in R4B",
        "MedicinalProductContraindication": "became ClinicalUseDefinition in R4B",
        "MedicinalProductIndication": "became ClinicalUseDefinition in R4B",
        "MedicinalProductIngredient": "became Ingredient in R4B",
        "MedicinalProductInteraction": "became ClinicalUseDefinition in R4B",
        "MedicinalProductManufactured": "became ManufacturedItemDefinition in R4B",
        "MedicinalProductPackaged": "became PackagedProductDefinition in R4B",
        "MedicinalProductPharmaceutical": "became AdministrableProductDefinition in R4B",
        "MedicinalProductUndesirableEffect": "became ClinicalUseDefinition in R4B",
        "SubstanceNucleicAcid": "has no model before R5",
        "SubstancePolymer": "has no model before R5",
        "SubstanceProtein": "has no model before R5",
        "SubstanceReferenceInformation": "has no model before R5",
        "SubstanceSourceMaterial": "has no model before R5",
        "SubstanceSpecification": "became SubstanceDefinition in R4B",
        "Evidence": "has other elements in R4B",
        "EvidenceVariable": "has other elements in R4B",
    }
)

INTEGERS = frozenset({"integer", "positiveInt", "unsignedInt", "integer64"})
NUMBERS = INTEGERS | {"decimal"}
DATES = frozenset({"date", "dateTime", "instant"})
TEXTS = frozenset(
    {"string", "code", "id", "uri", "url", "canonical", "oid", "uuid", "markdown", "base64Binary", "xhtml"}
)
PRIMITIVES = NUMBERS | DATES | TEXTS | {"boolean", "time"}
# The models mark a uuid by pydantic's class, every other primitive by one of its own name.
BY_LOWER_NAME = MappingProxyType({name.lower(): name for name in PRIMITIVES} | {"uuidversion": "uuid"})


PACKAGES = {"R4B": "fhir.resources.R4B", "R5": "fhir.resources"}


@dataclass(frozen=True)
class Element:
    """An element of a type: its name in JSON, its type's name, and whether it is a list.

    `choice` is the element's name without the type (`value` of `valueQuantity`), or None.
    """

    json_name: str
    type_name: str
    is_list: bool
    choice: str | None = None


class UnknownTypeError(Exception):
    """No version's models have the type."""


def model_version(fhir_version: str) -> str:
    """The version whose models read `fhir_version`: R4 by R4B's."""
    known = {"R4": "R4B", "R4B": "R4B", "R5": "R5"}
    if fhir_version not in known:
        raise ValueError(f"FHIR version {fhir_version!r} is not known; use one of {', '.join(known)}")
    return known[fhir_version]


@cache
def elements(version: str, type_name: str) -> MappingProxyType[str, Element]:
    """The elements of a type by their names in JSON; raises UnknownTypeError where this version's models
    lack it."""
    try:
        model = model_of(version, type_name)
    except KeyError as error:
        raise UnknownTypeError(type_name) from error
    found = {}
    for name, field in model.model_fields.items():
        if name == "fhir_comments" or name.endswith("__ext"):
            continue
        found_type, is_list = _element_type(field.annotation)
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        choice = extra.get("one_of_many")
        json_name = field.alias or name
        found[json_name] = Element(json_name, found_type, is_list, str(choice) if choice else None)
    return MappingProxyType(found)


@cache
def type_paths(version: str) -> MappingProxyType[str, str]:
    """Type → dotted path of its class, for every type of the version that has a model; imports none of them."""
    _put_off_validators()
    fhirtypes = importlib.import_module(f"{PACKAGES[version]}.fhirtypes")
    paths = (getattr(made, "_model_klass", None) for made in vars(fhirtypes).values())
    return MappingProxyType({path.rpartition(".")[2]: path for path in paths if isinstance(path, str)})


@cache
def _put_off_validators() -> None:
    """Has pydantic make the validator of a model when it first validates: most are read for their fields alone.

    Only models that are imported later take the setting.
    """
    # The import takes a tenth of a second, which commands that read no model never pay.
    from fhir_core.fhirabstractmodel import FHIRAbstractModel

    FHIRAbstractModel.set_global_model_config(defer_build=True)


@cache
def model_of(version: str, type_name: str) -> Any:
    """The class of `fhir.resources` for a FHIR type. Raises KeyError for a type that the version doesn't have."""
    module, _, name = type_paths(version)[type_name].rpartition(".")
    return getattr(importlib.import_module(module), name)


def has_type(version: str, type_name: str) -> bool:
    """Whether the version's models have the type; a primitive is no model."""
    return type_name in type_paths(version)


def is_resource(version: str, type_name: str) -> bool:
    """Whether the type is one of resources that exist: neither a part of them nor what they have in common."""
    if type_name in ("Resource", "DomainResource") or not has_type(version, type_name):
        return False
    return "implicitRules" in elements(version, type_name)


@cache
def choices(version: str, type_name: str, name: str) -> MappingProxyType[str, Element]:
    """The elements that a choice `name[x]` may take, by their types; empty where it is no choice."""
    if not has_type(version, type_name):
        return MappingProxyType({})
    return MappingProxyType(
        {e.type_name: e for e in elements(version, type_name).values() if e.choice == name}
    )


def nearest(version: str, type_name: str, name: str) -> str | None:
    """The element of the type whose name is most like `name`."""
    if not has_type(version, type_name):
        return None
    names = {element.choice or element.json_name for element in elements(version, type_name).values()}
    close = difflib.get_close_matches(name, sorted(names), n=1)
    return close[0] if close else None


def _element_type(annotation: object) -> tuple[str, bool]:
    """The FHIR type's name in a model's annotation, and whether it is a list."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, UnionType):
        inner = next(a for a in typing.get_args(annotation) if a is not type(None))
        return _element_type(inner)
    if origin is list:
        return _element_type(typing.get_args(annotation)[0])[0], True
    if origin is typing.Annotated:
        # One of the marks names the FHIR type; others are encoders (base64Binary) or formats (uuid).
        marks = (type(mark).__name__.lower() for mark in typing.get_args(annotation)[1:])
        return next(BY_LOWER_NAME[mark] for mark in marks if mark in BY_LOWER_NAME), False
    if annotation is bool:
        return "boolean", False
    return annotation._model_klass.rsplit(".", 1)[-1], False  # type: ignore[attr-defined]
