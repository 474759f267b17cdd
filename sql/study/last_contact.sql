-- One row per treated person with a contact at or before the cut-off and the death: the last one.

-- Made twice, since so many rows cost more to keep.
with bounded as not materialized (
    select
        contact.*,
        -- An end after the death or the cut-off is no contact; the start may be.
        case when contact.ends_on <= last_day then contact.ends_on when contact.starts_on <= last_day then contact.starts_on
        end as contact_on
    from contact
    join (
        select treated.person_id, least(treated.data_cutoff, dated_death.died_on) as last_day
        from treated
        left join dated_death on dated_death.person_id = treated.person_id
    ) as followed on followed.person_id = contact.person_id
),

-- First the day alone: there are many contacts, and few of the last day.
latest as (
    select person_id, max(contact_on) as contact_on
    from bounded
    group by person_id
)

select bounded.person_id, bounded.site, bounded.kind, bounded.contact_on, bounded.resource_key
from bounded
join latest on latest.person_id = bounded.person_id and latest.contact_on = bounded.contact_on
qualify row_number() over (
    partition by bounded.person_id
    order by bounded.resource_key desc, bounded.kind
) = 1
