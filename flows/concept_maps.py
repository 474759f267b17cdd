"""How ConceptMaps are mapped: lists within lists within lists, which no ViewDefinition of the package reads."""

import functools
import hashlib

from flows.mapping import CompiledMapping

CONCEPT_MAP = "_concept_map"

CONCEPT_MAP_STRUCT = """STRUCT(id VARCHAR, meta STRUCT("versionId" VARCHAR, "lastUpdated" VARCHAR),
    "group" STRUCT(source VARCHAR, target VARCHAR,
        element STRUCT(code VARCHAR,
            target STRUCT(code VARCHAR, equivalence VARCHAR, relationship VARCHAR)[])[])[])"""
CONCEPT_MAP_PATHS = frozenset(
    [
        ("group", "source"),
        ("group", "target"),
        ("group", "element", "code"),
        ("group", "element", "target", "code"),
        ("group", "element", "target", "equivalence"),
        ("group", "element", "target", "relationship"),
    ]
)
CONCEPT_MAP_COLUMNS = (
    ("source_system", "VARCHAR"),
    ("source_code", "VARCHAR"),
    ("target_system", "VARCHAR"),
    ("target_code", "VARCHAR"),
    ("relationship", "VARCHAR"),
)
# A map may say that two codes do not correspond: that is no mapping.
CONCEPT_MAP_SQL = """
    with grouped as (select * exclude (resource), unnest(resource.group) as g from line),
    sources as (select * exclude (g), g.source as source_system, g.target as target_system, unnest(g.element)
    as e
        from grouped),
    targets as (select * exclude (e), e.code as source_code, unnest(e.target) as t from sources)
    select
        site, file, line, part, type, id, version, last_updated, landed_at, full_url, resource_key, view_hash,
        "$scope",
        source_system,
        source_code,
        target_system,
        t.code as target_code,
        coalesce(t.equivalence, t.relationship) as relationship
    from targets
    where source_code is not null
        and t.code is not null
        and coalesce(t.equivalence, t.relationship, '') not in ('unmatched', 'disjoint', 'not-related-to')
"""


@functools.cache
def concept_map_mapping() -> CompiledMapping:
    """The mapping of ConceptMaps, which lists within lists within lists."""
    identity = hashlib.sha256(CONCEPT_MAP_SQL.encode()).hexdigest()
    return CompiledMapping(
        CONCEPT_MAP,
        "ConceptMap",
        identity,
        CONCEPT_MAP_STRUCT,
        CONCEPT_MAP_PATHS,
        frozenset(),
        False,
        CONCEPT_MAP_COLUMNS,
        CONCEPT_MAP_SQL,
    )
