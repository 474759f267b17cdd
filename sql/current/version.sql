-- One row per line that was mapped (contained resources too), with whether it is current: the newest version of its
-- resource, not deleted since. All else is superseded.

with mapped as (
    select
        *,
        resource_key(type, id) as resource_key,
        -- A contained resource's id is its owner's key and its own name there: MedicationRequest/77#med1.
        case when is_contained then regexp_replace(id, '#[^#]*$', '') end as owner_key
    from fhir.resource
    where status = 'mapped'
),

-- A deletion without an instant of its own reaches what had landed when it came.
deletion as (
    select
        site,
        resource_key,
        max(deleted_at) as deleted_at,
        max(landed_at) as landed_at,
        max(landed_at) filter (where deleted_at is null) as landed_without_instant_at
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
                version_number(mapped.version) desc nulls last,
                -- The load that first brought it; files of one load tie.
                mapped.landed_at desc,
                -- Content, so that no order of files decides; place only between copies that are the same.
                mapped.hash desc,
                mapped.file,
                mapped.line
        ) as version_rank,
        coalesce(
            case
                when mapped.last_updated is null then mapped.landed_at <= deletion.landed_at
                else mapped.last_updated <= deletion.deleted_at
            end,
            false
        ) or coalesce(mapped.landed_at <= deletion.landed_without_instant_at, false) as is_deleted
    from mapped
    left join deletion
        on deletion.site = mapped.site
        and deletion.resource_key = mapped.resource_key
    where not mapped.is_contained
),

current_owner as (
    select distinct site, resource_key, file, line
    from ranked
    where version_rank = 1 and not is_deleted
),

-- A contained resource has no version of its own: it is current with its owner.
contained as (
    select
        mapped.*,
        current_owner.resource_key is not null
            and row_number() over (
                partition by mapped.site, mapped.resource_key
                order by current_owner.resource_key is null, mapped.hash desc, mapped.file, mapped.line
            ) = 1 as is_current
    from mapped
    left join current_owner
        on current_owner.site = mapped.site
        and current_owner.resource_key = mapped.owner_key
        and current_owner.file = mapped.file
        and current_owner.line = mapped.line
    where mapped.is_contained
),

judged as (
    select * exclude (version_rank, is_deleted), version_rank = 1 and not is_deleted as is_current
    from ranked
    union all by name
    from contained
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
    fhir_version,
    resource_key,
    owner_key,
    is_contained,
    is_current
from judged
