-- One row per code that falls on a codelist at a site: the codelist's own, and the site's that its ConceptMaps
-- translate to one of them.

with site as (
    select distinct site from fhir.file
)

select list.study, list.codelist, list.concept, site.site, list.system, list.code
from clinical.codelist as list
cross join site
union
select list.study, list.codelist, list.concept, map.site, map.source_system, map.source_code
from clinical.codelist as list
join concept_map as map on map.target_system = list.system and map.target_code = list.code
