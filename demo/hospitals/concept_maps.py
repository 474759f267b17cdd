"""The ConceptMaps of a hospital with codes of its own: what each means in the vocabularies that studies use."""

from __future__ import annotations

from collections import defaultdict

from demo.hospitals.codes import VOCABULARIES
from demo.hospitals.dialect import Dialect, Resource, local_code, tagged


def concept_maps(dialect: Dialect) -> list[Resource]:
    """One ConceptMap, with a group for each system that it translates to."""
    groups: defaultdict[str, list[Resource]] = defaultdict(list)
    names = sorted({name for vocabulary in dialect.vocabularies for name in VOCABULARIES[vocabulary]})
    for name in names:
        for system, code in dialect.standard(name):
            target = {"code": code, "equivalence": "equivalent"}
            groups[system].append({"code": local_code(name), "display": name, "target": [target]})
    return [
        tagged(
            "ConceptMap",
            "local-codes",
            status="active",
            group=[
                {"source": dialect.system, "target": system, "element": elements}
                for system, elements in sorted(groups.items())
            ],
        )
    ]
