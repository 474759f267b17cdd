-- One row per treated person: the best response, why there is none to evaluate, and the first day of the main outcome.

with best as (
    select
        person_id,
        rating,
        arg_min(response, rank) as response,
        bool_or(is_main_outcome) as is_main_outcome,
        list_sort(list_distinct(flatten(list(outcomes)))) as outcomes,
        min(assessed_on) filter (where is_main_outcome) as main_outcome_on
    from rated_assessment
    group by person_id, rating
),

-- The reason at the last assessment, also where that has none of its own.
last_assessment as (
    select person_id, missing
    from assessment
    qualify row_number() over (partition by person_id order by evaluation desc) = 1
),

deciding as (
    select person_id, assumed
    from assessment
    join response_level on response_level.response = assessment.response
    qualify row_number() over (partition by person_id order by response_level.rank, evaluation) = 1
),

certain as (
    select person_id, bool_or(is_main_outcome_certain) as is_certain
    from assessment
    group by person_id
),

primary_best as (
    select best.*
    from best
    cross join setting
    where best.rating = setting.response_primary
)

select
    treated.person_id,
    treated.site,
    coalesce(primary_best.response, 'NE') as best_response,
    case
        when coalesce(primary_best.response, 'NE') <> 'NE' then null
        when primary_best.person_id is null then 'no_assessment'
        when setting.response_primary = 'derived' then last_assessment.missing
    end as not_evaluable_reason,
    primary_best.main_outcome_on,
    coalesce(primary_best.is_main_outcome, false) as is_main_outcome,
    coalesce(primary_best.outcomes, []::varchar[]) as outcomes,
    coalesce(derived.response, 'NE') as derived_response,
    investigator.response as investigator_response,
    coalesce(deciding.assumed, []::varchar[]) as assumed,
    coalesce(primary_best.is_main_outcome, false) or coalesce(certain.is_certain, false) as main_outcome_certain
from treated
cross join setting
left join primary_best on primary_best.person_id = treated.person_id
left join best as derived on derived.person_id = treated.person_id and derived.rating = 'derived'
left join best as investigator
    on investigator.person_id = treated.person_id and investigator.rating = 'investigator'
left join last_assessment on last_assessment.person_id = treated.person_id
left join deciding on deciding.person_id = treated.person_id
left join certain on certain.person_id = treated.person_id
where setting.response_primary is not null
