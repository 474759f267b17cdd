-- One row per assessment and variable of the criteria. What isn't known is the interval of all numbers, or a null truth.

with number as (
    select person_id, evaluation, setting.assessment_codelist as variable, low, high, has_low, has_high, false as is_assumed
    from assessed
    cross join setting
    union all
    select
        assessed.person_id,
        assessed.evaluation,
        pair_rule.variable,
        case when is_none then 0 else coalesce(paired.low, '-infinity'::double) end,
        case when is_none then 0 else coalesce(paired.high, 'infinity'::double) end,
        case when is_none then true else coalesce(paired.has_low, false) end,
        case when is_none then true else coalesce(paired.has_high, false) end,
        is_none
    from assessed
    cross join pair_rule
    left join paired_value as paired
        on paired.person_id = assessed.person_id
        and paired.evaluation = assessed.evaluation
        and paired.variable = pair_rule.variable
    cross join lateral (
        select paired.variable is null
            and pair_rule.variable in (select variable from missing_means_none) as is_none
    )
),

flag as (
    select
        assessed.person_id,
        assessed.evaluation,
        'extramedullary' as variable,
        case when is_none then false else finding.truth end as truth,
        is_none as is_assumed
    from assessed
    left join extramedullary_finding as finding
        on finding.person_id = assessed.person_id and finding.evaluation = assessed.evaluation
    cross join lateral (
        select finding.person_id is null
            and 'extramedullary' in (select variable from missing_means_none) as is_none
    )
    union all
    select assessed.person_id, assessed.evaluation, 'transfused', transfusion.person_id is not null, false
    from assessed
    left join transfusion
        on transfusion.person_id = assessed.person_id and transfusion.evaluation = assessed.evaluation
)

select person_id, evaluation, variable, low, high, has_low, has_high, null::boolean as truth, is_assumed
from number
union all
select person_id, evaluation, variable, null, null, null, null, truth, is_assumed
from flag
