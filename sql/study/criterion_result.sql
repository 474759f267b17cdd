-- One row per assessment, trial and criterion: true, false, or null where it can't be decided, and what it lacks.

with comparison as (
    select
        tried.person_id,
        tried.evaluation,
        tried.trial,
        rule.criterion,
        rule.response,
        rule.part,
        rule.condition,
        rule.variable,
        rule.comparison in ('at_most_of_baseline', 'at_least_of_baseline') and baseline.person_id is null as lacks_baseline,
        case rule.comparison
            -- Compared to nine decimals: a factor of a decimal number may fall beside it in binary.
            when 'at_most_of_baseline' then case
                when round(tried.high, 9) <= round(rule.bound * baseline.low, 9) then true
                when round(tried.low, 9) > round(rule.bound * baseline.high, 9) then false
            end
            when 'at_least_of_baseline' then case
                when round(tried.low, 9) >= round(rule.bound * baseline.high, 9) then true
                when round(tried.high, 9) < round(rule.bound * baseline.low, 9) then false
            end
            else fulfils(tried, rule)
        end as truth
    from assessment_trial as tried
    cross join setting
    join criterion_condition as rule on rule.variable = tried.variable
    left join pair_rule on pair_rule.variable = rule.variable
    left join baseline
        on baseline.person_id = tried.person_id
        and baseline.codelist = coalesce(pair_rule.codelist, setting.assessment_codelist)
        and baseline.value is not null
),

condition as (
    select
        person_id, evaluation, trial, criterion, response, part, condition,
        all_hold(truth) as truth,
        list({'variable': variable, 'is_baseline': lacks_baseline} order by lacks_baseline) filter (where truth is null) as lacks
    from comparison
    group by person_id, evaluation, trial, criterion, response, part, condition
),

part as (
    select
        person_id, evaluation, trial, criterion, response, part,
        case part when 'all' then all_hold(truth) else any_holds(truth) end as truth,
        flatten(list(lacks order by condition) filter (where lacks is not null)) as lacks
    from condition
    group by person_id, evaluation, trial, criterion, response, part
),

decided as (
    select
        person_id,
        evaluation,
        trial,
        criterion,
        response,
        all_hold(truth) as truth,
        flatten(list(lacks order by part) filter (where truth is null and lacks is not null)) as lacks
    from part
    group by person_id, evaluation, trial, criterion, response
)

select
    decided.person_id,
    decided.evaluation,
    decided.trial,
    decided.criterion,
    decided.response,
    -- A response that has to last and doesn't was none.
    case when contradicted.person_id is null then decided.truth else false end as is_met,
    case when contradicted.person_id is null then decided.lacks end as lacks
from decided
left join contradicted
    on contradicted.person_id = decided.person_id
    and contradicted.evaluation = decided.evaluation
    and contradicted.criterion = decided.criterion
