-- One row per person with an event that ends another endpoint, or in another way, than before.

select distinct event.person_id
from event
join (
    (from endpoint_event except from before_endpoint_event)
    union
    (from before_endpoint_event except from endpoint_event)
) as changed on changed.event = event.event
