-- One row per other name that a reference may use for a mapped resource: the bundle's fullUrl, an identifier (with
-- and without its type, or without its system), and within an owner the contained resource's id.

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
where alias is not null and alias <> resource_key
