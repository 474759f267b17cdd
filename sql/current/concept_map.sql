-- One row per code of a site and code that the site's ConceptMaps translate it to.

select distinct
    map.site,
    -- A system may be named with its version, as canonical URLs are.
    split_part(map.source_system, '|', 1) as source_system,
    map.source_code,
    split_part(map.target_system, '|', 1) as target_system,
    map.target_code
from fhir.concept_map as map
semi join resource using (site, file, line, part)
where map.source_code is not null
    and map.target_code is not null
    -- What is narrower than the site's code is said of some of it only.
    and coalesce(map.relationship, '') not in ('narrower', 'specializes', 'source-is-broader-than-target')
