-- One row per dated event of a treated person, at or before the cut-off: what endpoints begin with, end with, or stop at.

-- Events that are told by others come in steps: each step reads those before it, and hands them on.
with recursive given as (
    select
        person_id,
        site,
        'death' as event,
        death_on as event_on,
        case
            when not is_dated then 'death, undated: at the last contact'
            when is_imputed then 'death, partial date imputed'
            else 'death'
        end as description,
        death.resource_key
    from death
    union all
    select
        treated.person_id,
        treated.site,
        'index',
        treated.index_date,
        'first dose',
        min(dose.resource_key)
    from treated
    join doses as dose on dose.person_id = treated.person_id and dose.dosed_on = treated.index_date
    group by treated.person_id, treated.site, treated.index_date
    union all
    select person_id, site, 'last_contact', contact_on, 'last contact: ' || kind, resource_key
    from last_contact
    union all
    select person_id, site, 'last_disease_assessment', assessed_on, 'last disease assessment', resource_key
    from last_disease_assessment
    union all
    select told.*
    from told_event as told
    left join event_rule as rule on rule.event = told.event
    where coalesce(rule.step, 0) = 0
),

known as (
    select 0 as step, given.*
    from given
    union all
    (
        with step as (
            select max(step) + 1 as number
            from known
            having max(step) < (select max(step) from event_rule)
        ),

        rule as (
            select event_rule.*
            from event_rule
            join step on step.number = event_rule.step
        ),

        first as (
            select known.person_id, known.event, min(known.event_on) as event_on
            from known
            join treated on treated.person_id = known.person_id and known.event_on >= treated.index_date
            group by known.person_id, known.event
        ),

        sign as (
            select told.*
            from told_event as told
            semi join rule on rule.event = told.event
            union all
            select known.person_id, known.site, event_sign.event, known.event_on, known.description, known.resource_key
            from known
            join event_sign on event_sign.kind = 'event' and event_sign.source_event = known.event
            semi join rule on rule.event = event_sign.event
        ),

        -- Later than the day of the first of what it comes after.
        later as (
            select sign.*
            from sign
            join rule on rule.event = sign.event
            left join first on first.person_id = sign.person_id and first.event = rule.after
            where rule.after is null or sign.event_on > first.event_on
        ),

        due as (
            select
                treated.person_id,
                treated.site,
                rule.event,
                rule.without,
                coalesce(missed.label, replace(rule.without, '_', ' ')) as missed,
                rule.by_day,
                coalesce(first.event_on, treated.index_date) as start_on,
                coalesce(first.event_on, treated.index_date) + rule.by_day as event_on
            from treated
            join rule on rule.without is not null
            left join event_rule as missed on missed.event = rule.without
            left join first on first.person_id = treated.person_id and first.event = rule.after
            where rule.after is null or first.event_on is not null
        ),

        -- It failed to come to a person who was followed to the day, or died on or after it.
        failed as (
            select
                due.person_id,
                due.site,
                due.event,
                due.event_on,
                'no ' || due.missed || ' by day ' || due.by_day,
                coalesce(last_contact.resource_key, died.resource_key)
            from due
            left join given as last_contact
                on last_contact.person_id = due.person_id and last_contact.event = 'last_contact'
            left join given as died on died.person_id = due.person_id and died.event = 'death'
            anti join known
                on known.person_id = due.person_id
                and known.event = due.without
                and known.event_on between due.start_on and due.event_on
            where greatest(last_contact.event_on, died.event_on) >= due.event_on
        )

        select step.number, found.*
        from step
        cross join (
            select * exclude (step) from known
            union all
            from later
            union all
            from failed
        ) as found
    )
)

select * exclude (step)
from known
where step = (select coalesce(max(step), 0) from event_rule)
