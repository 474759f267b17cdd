-- One row per line that was mapped (contained resources too): its rank among the versions of its resource, and
-- whether a deletion came after it. Rank 1 that is not deleted is current; all else is superseded.

with mapped as (
    select *, resource_key(type, id) as resource_key
    from fhir.resource
    where status = 'mapped'
),

-- A deletion without an instant of its own reaches what had landed when it came.
deletion as (
    select site, resource_key, max(deleted_at) as deleted_at, max(landed_at) as landed_at
    from fhir.deletion
    where resource_key is not null
    group by site, resource_key
),

ranked as (
    select
        mapped.*,
        row_number() over (
            partition by mapped.site, mapped.resource_key
            order by
                mapped.last_updated desc nulls last,
                try_cast(mapped.version as bigint) desc nulls last,
                -- The load that first brought it; files of one load tie.
                mapped.landed_at desc,
                -- Content, so that no order of files decides; place only between copies that are the same.
                mapped.hash desc,
                mapped.file,
                mapped.line
        ) as version_rank,
        coalesce(
            case
                when deletion.deleted_at is not null and mapped.last_updated is not null
                    then mapped.last_updated <= deletion.deleted_at
                else mapped.landed_at <= deletion.landed_at
            end,
            false
        ) as is_deleted
    from mapped
    left join deletion
        on deletion.site = mapped.site
        and deletion.resource_key = mapped.resource_key
)

select
    site,
    file,
    line,
    type,
    id,
    version,
    last_updated,
    landed_at,
    hash,
    resource_key,
    is_contained,
    version_rank = 1 and not is_deleted as is_current
from ranked
