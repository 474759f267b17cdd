-- One row per deletion. It names its resource by the request's URL: Patient/1, with a server before it or a version after it.
-- Without one (a conditional deletion) type and id are NULL.

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
join loading_file as f on f.number = k.file
