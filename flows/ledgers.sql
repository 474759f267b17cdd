-- The books of a load, from what was noted while splitting and from what the reader refused.

-- The lineage of a relation that has no row yet.
create temp table no_line as
select
    file.site, file.file, seen.line, seen.type, seen.id, seen.version,
    null::timestamptz as last_updated,
    null::timestamptz as landed_at,
    seen.full_url, seen.hash,
    null::varchar as resource_key,
    null::varchar as view_hash
from seen
join loading_file as file on file.number = seen.file
limit 0;

create temp table _file as
select * exclude (number) from loading_file;

create temp table _resource as
select
    f.site,
    f.file,
    s.line,
    s.type,
    s.id,
    s.version,
    try_cast(s.last_updated as timestamptz) as last_updated,
    f.landed_at,
    s.hash,
    s.full_url,
    s.fhir_version,
    case when r.ordinal is not null then 'quarantined' else s.status end as status,
    case when r.ordinal is not null then 'unreadable' else s.rule end as rule,
    coalesce(s.is_contained, false) as is_contained
from seen as s
join loading_file as f on f.number = s.file
left join refused as r using (ordinal);

create temp table _quarantine as
select site, file, line, type, id, rule, landed_at
from _resource
where status = 'quarantined' and not is_contained;

create temp table _finding as
select f.site, f.file, n.line, n.type, n.id, n.rule, f.landed_at
from finding as n
join loading_file as f on f.number = n.file
union all
select site, file, line, type, id, 'contained:' || rule, landed_at
from _resource
where status = 'quarantined' and is_contained and rule = 'unreadable';

-- Every other name that a reference may use for a mapped resource: the bundle's fullUrl, an identifier (with and
-- without its type), and within an owner the contained resource's id.
create temp table _alias as
with mapped as (
    select * from _resource where status = 'mapped'
),

by_url as (
    select
        site, file, landed_at,
        reference_key(full_url, null, null, null, null) as alias,
        resource_key(type, id) as resource_key
    from mapped
    where full_url is not null
),

hashed as (
    select
        f.site, f.file, f.landed_at, i.type,
        reference_key(null, null, i.system, i.value, null) as alias,
        resource_key(i.type, i.id) as resource_key
    from identifier as i
    join loading_file as f on f.number = i.file
),

by_identifier as (
    select site, file, landed_at, alias, resource_key from hashed
    union all
    select site, file, landed_at, type || alias, resource_key from hashed
),

within_owner as (
    select f.site, f.file, f.landed_at, a.alias, a.resource_key
    from localalias as a
    join loading_file as f on f.number = a.file
),

named as (
    from by_url
    union all
    from by_identifier
    union all
    from within_owner
)

select distinct site, file, alias, resource_key, landed_at
from named
where alias is not null and alias <> resource_key;

-- A deletion names its resource by the request's URL: Patient/1, with a server before it or a version after it.
-- Without one (a conditional deletion) type and id are NULL.
create temp table _deletion as
with keyed as (
    select *, literal_reference_key(coalesce(nullif(url, ''), full_url), null) as resource_key
    from deletion
)

select
    f.site,
    f.file,
    k.line,
    case when contains(resource_key, '/') then split_part(resource_key, '/', 1) end as type,
    case when contains(resource_key, '/') then split_part(resource_key, '/', 2) end as id,
    try_cast(k.deleted_at as timestamptz) as deleted_at,
    f.landed_at,
    resource_key
from keyed as k
join loading_file as f on f.number = k.file;
