-- One row per study, site, concept and source code that fed it; a code that a ConceptMap maps and nothing uses has zeros, and
-- so has a concept that nothing feeds.

with listed as (
    select
        code.study,
        code.site,
        code.codelist,
        code.concept,
        code.system,
        code.code,
        case when own.code is null then 'concept map' else 'codelist' end as mapped_by
    from current.code as code
    left join clinical.codelist as own
        on own.study = code.study
        and own.codelist = code.codelist
        and own.concept = code.concept
        and own.system = code.system
        and own.code = code.code
),

fed as (
    select
        listed.*,
        used.source,
        used.resource_type,
        used.display,
        used.resources,
        used.persons,
        used.treated_persons,
        used.first_on,
        used.last_on
    from listed
    join (select distinct study, codelist, source from codelist_source) as reads using (study, codelist)
    join source_code as used
        on used.study = listed.study
        and used.site = listed.site
        and used.source = reads.source
        and used.system = listed.system
        and used.code = listed.code
),

unused as (
    select listed.*
    from listed
    anti join fed using (study, site, codelist, concept, system, code)
    where listed.mapped_by = 'concept map'
),

concept as (
    select distinct list.study, site.site, list.codelist, list.concept
    from clinical.codelist as list
    cross join (select distinct site from quality.resources) as site
),

empty as (
    select concept.*
    from concept
    anti join fed using (study, site, codelist, concept)
    anti join unused using (study, site, codelist, concept)
),

every as (
    select * from fed
    union all by name
    select * from unused
    union all by name
    select * from empty
)

select
    study,
    site,
    codelist,
    concept,
    source,
    resource_type,
    system,
    code,
    display,
    mapped_by,
    coalesce(resources, 0) as resources,
    coalesce(persons, 0) as persons,
    coalesce(treated_persons, 0) as treated_persons,
    first_on,
    last_on
from every
