-- One row per landed file: what became of each resource in it. Contained resources are part of their owners. The lines
-- of a file that landed after the as-of are superseded.

with fate as (
    select
        site,
        file,
        count(*) filter (where status = 'quarantined') as quarantined,
        count(*) filter (where status = 'not_asked_for') as not_asked_for
    from fhir.resource
    where not is_contained
    group by site, file
),

version as (
    select
        site,
        file,
        count(*) filter (where is_current) as mapped,
        count(*) filter (where not is_current) as superseded
    from current.version
    where not is_contained
    group by site, file
),

later as (
    select landed_file.site, landed_file.file, count(line.site) as superseded
    from fhir.landed_file as landed_file
    anti join fhir.file as known on known.site = landed_file.site and known.file = landed_file.file
    left join fhir.landed_resource as line
        on line.site = landed_file.site
        and line.file = landed_file.file
        and not line.is_contained
    group by landed_file.site, landed_file.file
)

select
    file.site,
    file.file,
    file.landed,
    coalesce(version.mapped, 0) as mapped,
    coalesce(fate.quarantined, 0) as quarantined,
    coalesce(version.superseded, 0) + coalesce(later.superseded, 0) as superseded,
    coalesce(fate.not_asked_for, 0) as not_asked_for
from fhir.landed_file as file
left join fate on fate.site = file.site and fate.file = file.file
left join version on version.site = file.site and version.file = file.file
left join later on later.site = file.site and later.file = file.file
