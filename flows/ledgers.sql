-- The books of a load beside that of its resources, from what was noted while lines were routed.

create temp table _file as
select * exclude (number) from loading_file;

-- `_resource` is there already: see ledger_of_resources.sql.
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
-- without its type, or without its system), and within an owner the contained resource's id.
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

-- Without a system it is that of any: Patient?identifier=value.
any_system as (
    select distinct
        f.site, f.file, f.landed_at,
        literal_reference_key(i.type || '?identifier=' || url_encode(i.value), null) as alias,
        resource_key(i.type, i.id) as resource_key
    from identifier as i
    join loading_file as f on f.number = i.file
),

by_identifier as (
    select site, file, landed_at, alias, resource_key from hashed
    union all
    from any_system
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
    -- Some servers tell the deletion's own version, and not its instant: Patient/1/_history/3.
    nullif(regexp_extract(k.url, '/_history/([^/?#\s]+)$', 1), '') as version,
    written_instant(k.deleted_at) as deleted_at,
    f.landed_at,
    resource_key
from keyed as k
join loading_file as f on f.number = k.file;
