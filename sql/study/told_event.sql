-- One row per sign of an event that was found, of the records and of the response, with what it is called.

with rated as (
    select
        rated.person_id,
        treated.site,
        sign.event,
        sign.position,
        rated.assessed_on as event_on,
        rated.response as description,
        rated.resource_key
    from rated_assessment as rated
    join event_sign as sign on sign.kind = 'response' and list_contains(rated.outcomes, sign.outcome)
    join treated on treated.person_id = rated.person_id
    where rated.is_primary
    -- Of assessments on one day the better one tells the event.
    qualify row_number() over (
        partition by rated.person_id, sign.event, sign.position, rated.assessed_on
        order by rated.assessed_at nulls first, rated.rank, rated.resource_key
    ) = 1
)

select
    found.person_id,
    found.site,
    found.event,
    found.event_on,
    coalesce(rule.label, replace(found.event, '_', ' '))
    || case
        when rule.signs > 1 then ' by ' || replace(coalesce(sign.codelist, setting.assessment_codelist), '_', ' ')
        else ''
    end as description,
    found.resource_key
from named_event as found
cross join setting
left join event_rule as rule on rule.event = found.event
left join event_sign as sign on sign.event = found.event and sign.position = found.position
union all
select person_id, site, event, event_on, description, resource_key
from rated
