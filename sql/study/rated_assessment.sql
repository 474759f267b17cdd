-- One row per assessment and rating: the derived ones, and the investigator's; `is_primary` as the protocol says.

-- The outcomes that every response of the main one counts as.
with implied as (
    select coalesce(list(outcome order by outcome), []::varchar[]) as outcomes
    from response_outcome
    where not exists (
        select 1
        from response_level
        where response_level.is_main_outcome
            and not list_contains(response_level.outcomes, response_outcome.outcome)
    )
),

derived as (
    select
        assessment.person_id,
        'derived' as rating,
        assessment.assessed_on,
        assessment.assessed_at,
        assessment.response,
        response_level.rank,
        -- Which of its responses it is may stay open, where the protocol counts what is certain.
        case
            when is_counted_as_certain then list_sort(list_distinct(response_level.outcomes || implied.outcomes))
            else response_level.outcomes
        end as outcomes,
        response_level.is_main_outcome or is_counted_as_certain as is_main_outcome,
        assessment.missing,
        assessment.resource_key
    from assessment
    cross join setting
    cross join implied
    join response_level on response_level.response = assessment.response
    cross join lateral (
        select setting.counts_certain and assessment.is_main_outcome_certain as is_counted_as_certain
    )
),

investigator as (
    select
        item.person_id,
        'investigator' as rating,
        item.assessed_on,
        null::timestamptz as assessed_at,
        item.response,
        response_level.rank,
        response_level.outcomes,
        response_level.is_main_outcome,
        null::varchar as missing,
        item.resource_key
    from investigator_assessment as item
    join response_level on response_level.response = item.response
)

select rated.*, rated.rating = setting.response_primary as is_primary
from (from derived union all from investigator) as rated
cross join setting
