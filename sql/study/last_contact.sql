-- One row per treated person with a contact at or before the cut-off and the death: the last one.

with bounded as (
    select
        contact.person_id,
        contact.site,
        contact.kind,
        contact.starts_on,
        contact.ends_on,
        least(treated.data_cutoff, dated_death.died_on) as last_day,
        source_of(contact) as source
    from contact
    join treated on treated.person_id = contact.person_id
    left join dated_death on dated_death.person_id = contact.person_id
),

dated as (
    select
        *,
        -- An end after the death or the cut-off is no contact; the start may be.
        case when ends_on <= last_day then ends_on when starts_on <= last_day then starts_on end as contact_on
    from bounded
)

select person_id, site, kind, contact_on, source
from dated
where contact_on is not null
qualify row_number() over (
    partition by person_id
    order by contact_on desc, source.resource_key desc, kind
) = 1
