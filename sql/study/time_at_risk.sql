-- One row per treated person: the days in which an event would be treatment-emergent and would be known.

select
    treated.person_id,
    treated.site,
    treated.index_date as starts_on,
    -- The death ends the time, or else the last contact; who has none after the last dose was seen at that.
    greatest(
        treated.index_date,
        least(
            treated.last_dose_on + setting.safety_days_after_last_dose,
            treated.data_cutoff,
            coalesce(death.death_on, greatest(last_contact.contact_on, treated.last_dose_on))
        )
    ) as ends_on,
    (ends_on - starts_on + 1)::integer as days
from treated
cross join setting
left join death on death.person_id = treated.person_id
left join last_contact on last_contact.person_id = treated.person_id
where setting.safety_days_after_last_dose is not null
