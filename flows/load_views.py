"""The views of a load: what they read of each type of resource, compiled when it is needed."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from flows.concept_maps import CONCEPT_MAP, concept_map_mapping
from flows.exact_numbers import Tree, tree_of
from flows.load_memory import NOTHING, Memory
from flows.mapping import (
    CompiledMapping,
    mapping_of,
    reads_of,
    view_hash,
)
from mappers.fhir_types import VERSIONS, has_type
from mappers.fields import FieldPath
from mappers.shapes import known_shapes, reference_targets
from mappers.view import View


class Views:
    """The views of a load, each compiled for a FHIR version when the first line appears that it takes.

    `recalled` is what former loads under the same views and rules worked out.
    """

    def __init__(self, views: Sequence[View], recalled: Memory = NOTHING) -> None:
        self._views = tuple(sorted(views, key=lambda view: view.name))
        self.recalled = recalled
        self._compiled = {version: dict(named) for version, named in self.recalled.mappings.items()}
        self._identified: dict[str, frozenset[str]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process is sent what this one worked out: it needn't read a model, or compile, again.
        return _views_with, (self._views, self.memory(), self.known_identified())

    @property
    def resource_types(self) -> tuple[str, ...]:
        return tuple(sorted({view.resource for view in self._views} | {concept_map_mapping().resource}))

    @functools.cached_property
    def versions(self) -> tuple[str, ...]:
        """The FHIR versions that have a type which a view takes."""
        found = (v for v in VERSIONS if any(has_type(v, name) for name in self.resource_types))
        return self.recalled.versions or tuple(found)

    @functools.cached_property
    def hashes(self) -> dict[str, str]:
        """The identity of what each mapping says, by its name."""
        known = {view.name: view_hash(view) for view in self._views}
        return known | {CONCEPT_MAP: concept_map_mapping().view_hash}

    def named(self, name: str) -> CompiledMapping:
        """The mapping of this name, compiled for R4B: its columns are the same in every version."""
        if name == CONCEPT_MAP:
            return concept_map_mapping()
        return self.mapping(next(view for view in self._views if view.name == name), "R4B")

    def mappings(self, fhir_version: str, resource_type: str) -> list[CompiledMapping]:
        """The mappings of the lines of a type."""
        made = [self.mapping(view, fhir_version) for view in self._views if view.resource == resource_type]
        code_maps = concept_map_mapping()
        return [*made, code_maps] if resource_type == code_maps.resource else made

    def mapping(self, view: View, fhir_version: str) -> CompiledMapping:
        """The view as a mapping, compiled once."""
        compiled = self._compiled.setdefault(fhir_version, {})
        if view.name not in compiled:
            compiled[view.name] = mapping_of(view, fhir_version)
        return compiled[view.name]

    def memory(self) -> Memory:
        """What the next load needn't work out again."""
        return Memory(self._compiled, known_shapes(), self.versions)

    def reads(self, fhir_version: str, resource_type: str) -> frozenset[FieldPath]:
        return reads_of(m.paths for m in self.mappings(fhir_version, resource_type))

    def exact_numbers(self, fhir_version: str, resource_type: str) -> Tree | None:
        """The numbers that a view reads as they were written; None where lines can stay as they are."""
        mappings = self.mappings(fhir_version, resource_type)
        if not any(one.exact_numbers or one.reads_json for one in mappings):
            return None
        return tree_of(frozenset().union(*(one.exact_numbers for one in mappings)))

    def identified(self, fhir_version: str) -> frozenset[str]:
        """The types that a reference which a view reads may point to."""
        if fhir_version not in self._identified:
            compiled = [self.mapping(view, fhir_version) for view in self._views]
            self._identified[fhir_version] = frozenset(
                target
                for one in compiled
                for target in reference_targets(fhir_version, one.resource, one.paths)
                if target in self.resource_types
            )
        return self._identified[fhir_version]

    def know_identified(self, found: Mapping[str, Sequence[str]]) -> None:
        """Takes what a former load under the same views found by `identified`: it needn't compile them all."""
        self._identified |= {version: frozenset(types) for version, types in found.items()}

    def known_identified(self) -> dict[str, list[str]]:
        """What `identified` has found so far, for the next load."""
        return {version: sorted(types) for version, types in sorted(self._identified.items())}


def _views_with(views: Sequence[View], memory: Memory, identified: Mapping[str, Sequence[str]]) -> Views:
    made = Views(views, memory)
    made.know_identified(identified)
    return made
