-- One row per treated person and named event: the first on or after the index date, not after the death.

select
    event.person_id,
    event.event,
    event.event_on,
    event.resource_key
from event
join treated on treated.person_id = event.person_id
left join death on death.person_id = event.person_id
where event.event_on >= treated.index_date
    and coalesce(event.event_on <= death.death_on, true)
    and event.event <> 'death'
qualify row_number() over (
    partition by event.person_id, event.event
    order by event.event_on, event.resource_key
) = 1
