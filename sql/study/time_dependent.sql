-- One row per treated person: overall survival, with the day of the comparing event while under observation.

select
    endpoint.person_id,
    endpoint.site,
    case
        when cohort.comparing_event_on <= endpoint.end_on then (cohort.comparing_event_on - endpoint.start_on)::integer
    end as comparing_event_day,
    endpoint.days,
    endpoint.status
from endpoint
join cohort on cohort.person_id = endpoint.person_id
cross join setting
where endpoint.endpoint = 'overall_survival' and setting.survival_by_event is not null
