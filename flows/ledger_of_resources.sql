-- One row per resource of the load, or what was there instead of one, and what became of it.

select
    f.site,
    f.file,
    s.line,
    coalesce(s.part, 0)::integer as part,
    s.type,
    s.id,
    s.version,
    written_instant(s.last_updated) as last_updated,
    f.landed_at,
    s.hash,
    s.full_url,
    s.fhir_version,
    case when r.ordinal is not null then 'quarantined' else s.status end as status,
    case when r.ordinal is not null then 'unreadable' else s.rule end as rule,
    s.owner_part is not null as is_contained,
    s.owner_part::integer as owner_part
from seen as s
join loading_file as f on f.number = s.file
left join refused as r using (ordinal)
