-- One row per assessment and rating: the derived ones, and the investigator's; `is_primary` as the protocol says.

with derived as (
    select
        assessment.person_id,
        'derived' as rating,
        assessment.assessed_on,
        assessment.assessed_at,
        assessment.response,
        response_level.rank,
        -- Which remission it is may stay open, where the protocol counts it.
        response_level.is_remission or (setting.certain_remission and assessment.is_remission_certain) as is_remission,
        response_level.is_overall or (setting.certain_remission and assessment.is_remission_certain) as is_overall,
        assessment.missing,
        assessment.resource_key
    from assessment
    cross join setting
    join response_level on response_level.response = assessment.response
),

investigator as (
    select
        item.person_id,
        'investigator' as rating,
        item.assessed_on,
        null::timestamptz as assessed_at,
        item.response,
        item.rank,
        item.is_remission,
        response_level.is_overall,
        null::varchar as missing,
        item.source.resource_key as resource_key
    from investigator_assessment as item
    join response_level on response_level.response = item.response
)

select rated.*, rated.rating = setting.response_primary as is_primary
from (from derived union all from investigator) as rated
cross join setting
