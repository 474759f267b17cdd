-- One row per treated person who died at or before the cut-off, with the chosen source.

select
    dated_death.person_id,
    dated_death.site,
    dated_death.kind,
    -- A death without any date is dated at the last contact, never before the first dose.
    coalesce(dated_death.died_on, greatest(last_contact.contact_on, treated.index_date)) as death_on,
    dated_death.is_dated,
    dated_death.is_imputed,
    dated_death.has_conflict,
    dated_death.resource_key
from dated_death
join treated on treated.person_id = dated_death.person_id
left join last_contact on last_contact.person_id = dated_death.person_id
