-- One row per assessment and trial: what is known of each comparison of the criteria, as a list, and of what has to last.
-- Trial 0 is what was observed.

-- `of_baseline` is the codelist of the baseline value that a comparison is with.
with rule as (
    select distinct
        condition.number,
        condition.variable,
        condition.comparison,
        condition.bound,
        condition.expected,
        case
            when condition.comparison in ('at_most_of_baseline', 'at_least_of_baseline')
                then coalesce(pair_rule.codelist, setting.assessment_codelist)
        end as of_baseline
    from criterion_condition as condition
    cross join setting
    left join pair_rule on pair_rule.variable = condition.variable
),

tried as (
    select person_id, evaluation, 0 as trial, variable, low, high, has_low, has_high, truth
    from assessment_value
    union all
    from assessment_trial
),

compared as (
    select
        tried.person_id,
        tried.evaluation,
        tried.trial,
        rule.number,
        rule.of_baseline is not null and baseline.person_id is null as lacks_baseline,
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
        end as is_fulfilled
    from tried
    join rule on rule.variable = tried.variable
    left join baseline
        on baseline.person_id = tried.person_id
        and baseline.codelist = rule.of_baseline
        and baseline.value is not null
),

-- A comparison's number and what is known of it in one number, so that what looks alike is decided once.
listed as (
    select
        person_id,
        evaluation,
        trial,
        list_sort(list(
            4 * number + case when is_fulfilled then 1 when not is_fulfilled then 0 when lacks_baseline then 3 else 2 end
        )) as known
    from compared
    group by person_id, evaluation, trial
),

-- In a trial, what isn't replaced is as it was observed.
pattern as (
    from listed
    where trial = 0
    union all
    select
        replaced.person_id,
        replaced.evaluation,
        replaced.trial,
        list_sort(replaced.known || list_filter(
            observed.known,
            lambda code: not list_contains(list_transform(replaced.known, lambda other: other // 4), code // 4)
        )) as known
    from listed as replaced
    join listed as observed
        on observed.person_id = replaced.person_id and observed.evaluation = replaced.evaluation and observed.trial = 0
    where replaced.trial > 0
),

-- A response that has to last and doesn't was none.
unlasting as (
    select person_id, evaluation, list_sort(list(criterion)) as criteria
    from contradicted
    group by person_id, evaluation
)

select pattern.*, unlasting.criteria as contradicted
from pattern
left join unlasting on unlasting.person_id = pattern.person_id and unlasting.evaluation = pattern.evaluation
