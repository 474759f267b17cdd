-- One row per assessment and variable of the criteria. What isn't known is the interval of all numbers, or a null truth.

with assessed_number as (
    select
        person_id,
        evaluation,
        setting.assessment_variable as variable,
        value,
        comparator,
        measured_on,
        low,
        high,
        has_low,
        has_high,
        null::boolean as truth,
        false as is_assumed,
        resource_key
    from assessed
    cross join setting
),

paired_number as (
    select
        assessed.person_id,
        assessed.evaluation,
        pair_rule.variable,
        paired.value,
        paired.comparator,
        paired.measured_on,
        case when is_assumed then meaning.number else coalesce(paired.low, '-infinity'::double) end,
        case when is_assumed then meaning.number else coalesce(paired.high, 'infinity'::double) end,
        case when is_assumed then true else coalesce(paired.has_low, false) end,
        case when is_assumed then true else coalesce(paired.has_high, false) end,
        null::boolean,
        is_assumed,
        paired.resource_key
    from assessed
    cross join pair_rule
    left join missing_meaning as meaning on meaning.variable = pair_rule.variable
    left join paired_value as paired
        on paired.person_id = assessed.person_id
        and paired.evaluation = assessed.evaluation
        and paired.variable = pair_rule.variable
    cross join lateral (
        select paired.variable is null and meaning.number is not null as is_assumed
    )
),

flag as (
    select
        assessed.person_id,
        assessed.evaluation,
        rule.variable,
        null::double,
        null::varchar,
        finding.found_on,
        null::double,
        null::double,
        null::boolean,
        null::boolean,
        case
            when finding.person_id is not null then finding.truth
            -- No procedure means that none was done; no dose to come, that the course is over.
            when rule.kind = 'procedure' then false
            when rule.kind = 'course' then true
            else meaning.truth
        end,
        finding.person_id is null and rule.kind = 'observation' and meaning.truth is not null,
        finding.resource_key
    from assessed
    cross join finding_rule as rule
    left join missing_meaning as meaning on meaning.variable = rule.variable
    left join finding
        on finding.person_id = assessed.person_id
        and finding.evaluation = assessed.evaluation
        and finding.variable = rule.variable
)

from assessed_number
union all from paired_number
union all from flag
