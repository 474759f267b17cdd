-- One row per endpoint and person of its population: when it starts and ends, and how (1 event, 2 competing, 0 censored).

with index_event as (
    select person_id, site, index_date as start_on from treated
),

first_remission as (
    select person_id, min(event_on) as remission_on
    from event
    where event = 'remission'
    group by person_id
),

last_contact_on as (
    select person_id, event_on, source from event where event = 'last_contact'
),

-- An endpoint starts at the index date, or at the first event of that name on or after it.
started as (
    select rule.endpoint, index_event.person_id, index_event.site, index_event.start_on
    from endpoint_rule as rule
    cross join index_event
    where rule.start = 'index'
    union all
    select rule.endpoint, index_event.person_id, any_value(index_event.site), min(event.event_on)
    from endpoint_rule as rule
    join event on event.event = rule.start
    join index_event on index_event.person_id = event.person_id and event.event_on >= index_event.start_on
    where rule.start <> 'index'
    group by rule.endpoint, index_event.person_id
),

person as (
    select started.*, rule.* exclude (endpoint, population, start), first_remission.remission_on
    from started
    join endpoint_rule as rule on rule.endpoint = started.endpoint
    left join first_remission on first_remission.person_id = started.person_id
    where (rule.population <> 'responders' or first_remission.remission_on is not null)
        -- What began before the start takes nobody from the risk set, unless the protocol says so.
        and not (
            rule.exclude_prevalent
            and exists (
                select 1
                from endpoint_event as named
                join event on event.event = named.event
                where named.endpoint = rule.endpoint
                    and named.role = 'event'
                    and event.person_id = started.person_id
                    and event.event_on < started.start_on
            )
        )
),

happened as (
    select
        person.endpoint,
        person.person_id,
        named.role,
        named.position,
        event.event_on,
        event.description,
        event.source
    from person
    join endpoint_event as named on named.endpoint = person.endpoint
    join event
        on event.person_id = person.person_id
        and event.event = named.event
        and event.event_on >= person.start_on
),

-- No remission by the day, of a person who was followed to it, or died on or after it.
failure as (
    select
        person.endpoint,
        person.person_id,
        named.role,
        named.position,
        person.start_on + person.failure_day as event_on,
        'no remission by day ' || person.failure_day as description,
        coalesce(last_contact_on.source, death.source) as source
    from person
    join endpoint_event as named on named.endpoint = person.endpoint and named.event = 'failure'
    left join last_contact_on on last_contact_on.person_id = person.person_id
    left join event as death on death.person_id = person.person_id and death.event = 'death'
    where coalesce(person.remission_on > person.start_on + person.failure_day, true)
        and greatest(last_contact_on.event_on, death.event_on) >= person.start_on + person.failure_day
),

-- On one day the event of interest comes first, then a competing one, then what only ends a variant's follow-up.
first_event as (
    select *
    from (from happened union all from failure)
    qualify row_number() over (
        partition by endpoint, person_id
        order by
            event_on,
            case role when 'event' then 1 when 'competing' then 2 else 3 end,
            position,
            source.resource_key
    ) = 1
),

censor_named as (
    select
        *,
        case
            when censor_after_remission is not null and remission_on is not null then censor_after_remission
            else coalesce(censor, 'last_contact')
        end as censor_event
    from person
),

censored as (
    select
        censor_named.endpoint,
        censor_named.person_id,
        event.event_on as censor_on,
        event.description,
        event.source
    from censor_named
    left join event on event.person_id = censor_named.person_id and event.event = censor_named.censor_event
    qualify row_number() over (
        partition by censor_named.endpoint, censor_named.person_id
        order by event.event_on desc nulls last, event.source.resource_key
    ) = 1
),

ended as (
    select
        person.endpoint,
        person.person_id,
        person.site,
        person.start_on,
        -- Follow-up that a variant ends doesn't reach beyond its censoring date.
        first_event.role in ('event', 'competing')
            or (first_event.role = 'censor' and coalesce(first_event.event_on < censored.censor_on, true)) as is_ended,
        first_event.role,
        first_event.event_on,
        censored.censor_on,
        case when is_ended then first_event.description else censored.description end as description,
        case when is_ended then first_event.source else censored.source end as source
    from person
    left join first_event
        on first_event.endpoint = person.endpoint and first_event.person_id = person.person_id
    left join censored on censored.endpoint = person.endpoint and censored.person_id = person.person_id
),

final as (
    select
        endpoint,
        person_id,
        site,
        start_on,
        -- Nothing ends before it starts.
        case when is_ended then event_on else coalesce(greatest(censor_on, start_on), start_on) end as end_on,
        case
            when is_ended and role = 'event' then 1
            when is_ended and role = 'competing' then 2
            else 0
        end::integer as status,
        coalesce(description, 'no contact after the start') as description,
        source
    from ended
)

select
    endpoint,
    person_id,
    site,
    start_on,
    end_on,
    (end_on - start_on)::integer as days,
    status,
    description,
    unnest(source)
from final
