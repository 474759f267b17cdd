-- One row per line that was mapped (contained resources too), with whether it is current: the newest version of its
-- resource, not deleted since. All else is superseded.

with received as (
    select site, file, max(received_at) as received_at
    from fhir.pulled_file
    group by site, file
),

mapped as (
    select
        resource.*,
        resource_key(resource.type, resource.id) as resource_key,
        -- A contained resource's id is its owner's key and its own name there: MedicationRequest/77#med1.
        case when resource.is_contained then regexp_replace(resource.id, '#[^#]*$', '') end as owner_key,
        -- A file that came again, the same to the byte, is landed once; it says anew what is there.
        coalesce(greatest(resource.landed_at, received.received_at), resource.landed_at) as received_at
    from fhir.resource as resource
    left join received on received.site = resource.site and received.file = resource.file
    where resource.status = 'mapped'
),

-- What the manifests of exports told, where the site's deletions aren't to be seen.
unseen as (
    select told.site, told.file
    from fhir.pulled_file as told
    join fhir.pull as pull on pull.site = told.site and pull.pull = told.pull
    where told.kind = 'deleted'
    group by told.site, told.file
    having bool_and(pull.deletions = 'none')
),

ending as (
    select
        deletion.*,
        coalesce(greatest(deletion.landed_at, received.received_at), deletion.landed_at) as told_at
    from deletion
    anti join unseen on unseen.site = deletion.site and unseen.file = deletion.file
    left join received on received.site = deletion.site and received.file = deletion.file
),

-- By the two instants, else by the two versions; a deletion that tells neither reaches what had landed when it came.
deleted as (
    select distinct mapped.site, mapped.file, mapped.line, mapped.part
    from mapped
    join ending on ending.site = mapped.site and ending.resource_key = mapped.resource_key
    where case
        when mapped.last_updated is not null and ending.deleted_at is not null
            then mapped.last_updated <= ending.deleted_at
        when version_number(mapped.version) is not null and version_number(ending.version) is not null
            then version_number(mapped.version) <= version_number(ending.version)
        else mapped.received_at <= ending.told_at
    end
),

-- The newest complete pull of all of a type, at sites where such a pull is the whole truth.
snapshot as (
    select pull.site, asked.resource_type, max(pull.started_at) as started_at
    from fhir.pull as pull
    join fhir.pulled_type as asked on asked.site = pull.site and asked.pull = pull.pull
    where pull.completed_at is not null and pull.deletions = 'snapshot' and asked.since is null
    group by pull.site, asked.resource_type
),

-- What neither that pull nor anything after it brought has ended.
ended as (
    select mapped.site, mapped.resource_key
    from mapped
    join snapshot on snapshot.site = mapped.site and snapshot.resource_type = mapped.type
    where not mapped.is_contained
    group by mapped.site, mapped.resource_key
    having not bool_or(mapped.received_at >= snapshot.started_at)
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
                mapped.line,
                mapped.part
        ) as version_rank,
        deleted.part is not null or ended.resource_key is not null as is_deleted
    from mapped
    left join deleted
        on deleted.site = mapped.site
        and deleted.file = mapped.file
        and deleted.line = mapped.line
        and deleted.part = mapped.part
    left join ended
        on ended.site = mapped.site
        and ended.resource_key = mapped.resource_key
    where not mapped.is_contained
),

current_owner as (
    select site, file, line, part
    from ranked
    where version_rank = 1 and not is_deleted
),

-- A contained resource has no version of its own: it is current with its owner.
contained as (
    select
        mapped.*,
        current_owner.part is not null
            and row_number() over (
                partition by mapped.site, mapped.resource_key
                order by current_owner.part is null, mapped.hash desc, mapped.file, mapped.line, mapped.part
            ) = 1 as is_current
    from mapped
    left join current_owner
        on current_owner.site = mapped.site
        and current_owner.file = mapped.file
        and current_owner.line = mapped.line
        and current_owner.part = mapped.owner_part
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
    part,
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
