-- One row per endpoint and person of its population: when it starts and ends, and how (1 event, 2 competing, 0 censored).

-- An endpoint starts at the first event of its start's name on or after the index date.
with started as (
    select
        rule.*,
        treated.person_id,
        treated.site,
        treated.index_date,
        min(event.event_on) as start_on
    from endpoint_rule as rule
    join event on event.event = rule.start
    join treated on treated.person_id = event.person_id and event.event_on >= treated.index_date
    group by all
),

person as (
    select started.*
    from started
    where (
            started.population_event is null
            or exists (
                select 1
                from event
                where event.person_id = started.person_id
                    and event.event = started.population_event
                    and event.event_on >= started.index_date
            )
        )
        -- What began before the start takes nobody from the risk set, unless the protocol says so.
        and not (
            started.exclude_prevalent
            and exists (
                select 1
                from endpoint_event as named
                join event on event.event = named.event
                where named.endpoint = started.endpoint
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
        person.competing_first,
        named.role,
        named.position,
        event.event_on,
        event.description,
        event.resource_key
    from person
    join endpoint_event as named on named.endpoint = person.endpoint
    join event
        on event.person_id = person.person_id
        and event.event = named.event
        and event.event_on >= person.start_on
),

-- On one day the event of interest comes first, or where the protocol says so a competing one; what only ends
-- follow-up comes last.
first_event as (
    select *
    from happened
    qualify row_number() over (
        partition by endpoint, person_id
        order by
            event_on,
            case
                when role = 'censor' then 4
                when role = 'event' then 2
                when competing_first then 1
                else 3
            end,
            position,
            resource_key,
            -- One record may tell an event by several signs.
            description
    ) = 1
),

-- Of the censors the first that is for the person.
censor_named as (
    select person.endpoint, person.person_id, arg_min(censor.event, censor.position) as censor_event
    from person
    join endpoint_censor as censor on censor.endpoint = person.endpoint
    where censor.after is null
        or exists (
            select 1
            from event
            where event.person_id = person.person_id
                and event.event = censor.after
                and event.event_on >= person.index_date
        )
    group by person.endpoint, person.person_id
),

censored as (
    select
        censor_named.endpoint,
        censor_named.person_id,
        event.event_on as censor_on,
        event.description,
        event.resource_key
    from censor_named
    left join event on event.person_id = censor_named.person_id and event.event = censor_named.censor_event
    qualify row_number() over (
        partition by censor_named.endpoint, censor_named.person_id
        order by event.event_on desc nulls last, event.resource_key, event.description
    ) = 1
),

ended as (
    select
        person.endpoint,
        person.person_id,
        person.site,
        person.start_on,
        -- Follow-up that an event ends doesn't reach beyond its censoring date.
        first_event.role in ('event', 'competing')
            or (first_event.role = 'censor' and coalesce(first_event.event_on < censored.censor_on, true)) as is_ended,
        first_event.role,
        first_event.event_on,
        censored.censor_on,
        case when is_ended then first_event.description else censored.description end as description,
        case when is_ended then first_event.resource_key else censored.resource_key end as resource_key
    from person
    left join first_event
        on first_event.endpoint = person.endpoint and first_event.person_id = person.person_id
    left join censored on censored.endpoint = person.endpoint and censored.person_id = person.person_id
),

closed as (
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
        resource_key
    from ended
),

-- Where the protocol names a gap: the last evaluation, or the start, before a longer time without one ends follow-up.
evaluated as (
    select person.endpoint, person.person_id, person.assessment_gap_days, evaluation.measured_on, evaluation.resource_key
    from person
    join evaluation on evaluation.person_id = person.person_id and evaluation.measured_on >= person.start_on
    where person.assessment_gap_days is not null
    union all
    select endpoint, person_id, assessment_gap_days, start_on, null
    from person
    where assessment_gap_days is not null
),

before_gap as (
    select
        *,
        lead(measured_on) over (
            partition by endpoint, person_id
            order by measured_on, resource_key nulls first
        ) as next_on
    from evaluated
    qualify coalesce(next_on - measured_on > assessment_gap_days, true)
),

gap as (
    select
        endpoint,
        person_id,
        measured_on as evaluated_on,
        measured_on + assessment_gap_days as last_day,
        'no evaluation for more than ' || assessment_gap_days || ' days' as description,
        resource_key
    from before_gap
    qualify row_number() over (partition by endpoint, person_id order by measured_on) = 1
),

final as (
    select
        closed.endpoint,
        closed.person_id,
        closed.site,
        closed.start_on,
        case when is_cut then gap.evaluated_on else closed.end_on end as end_on,
        case when is_cut then 0 else closed.status end as status,
        case when is_cut then gap.description else closed.description end as description,
        case when is_cut then gap.resource_key else closed.resource_key end as resource_key
    from closed
    left join gap on gap.endpoint = closed.endpoint and gap.person_id = closed.person_id
    cross join lateral (select coalesce(closed.end_on > gap.last_day, false) as is_cut)
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
    resource_key
from final
