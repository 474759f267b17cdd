-- One row per assessment and finding that a record tells: the record, and whether it is so.

with observed as (
    select
        assessed.person_id,
        assessed.evaluation,
        rule.variable,
        item.measured_on as found_on,
        item.truth,
        item.resource_key
    from assessed
    join finding_rule as rule on rule.kind = 'observation'
    join observed_value as item
        on item.person_id = assessed.person_id
        and item.codelist = rule.codelist
        and item.measured_on <= assessed.measured_on
    where item.truth is not null
    qualify row_number() over (
        partition by assessed.person_id, assessed.evaluation, rule.variable
        order by
            item.measured_on desc,
            item.measured_at desc nulls last,
            item.truth desc,
            item.resource_key desc
    ) = 1
),

performed as (
    select
        record.person_id,
        rule.variable,
        rule.days_before,
        rule.near_variable,
        imputed_day(
            record.performed_first, record.performed_last,
            setting.impute, treated.birth_first, treated.last_possible_day, treated.data_cutoff
        ) as performed_on,
        record.resource_key
    from procedure as record
    cross join setting
    join finding_rule as rule on rule.kind = 'procedure' and rule.codelist = record.codelist
    join treated on treated.person_id = record.person_id
    where record.study = setting.study and record.is_counted and record.performed_first <= treated.data_cutoff
),

done as (
    select
        assessed.person_id,
        assessed.evaluation,
        performed.variable,
        performed.performed_on as found_on,
        true as truth,
        performed.resource_key
    from assessed
    join performed on performed.person_id = assessed.person_id
    left join paired_value as near_value
        on near_value.person_id = assessed.person_id
        and near_value.evaluation = assessed.evaluation
        and near_value.variable = performed.near_variable
    -- Without the value that it is near to, the day of the assessment stands for its day.
    where coalesce(near_value.measured_on, assessed.measured_on) - performed.performed_on
        between 0 and performed.days_before
    qualify row_number() over (
        partition by assessed.person_id, assessed.evaluation, performed.variable
        order by performed.performed_on desc, performed.resource_key desc
    ) = 1
),

-- The course that an assessment is in isn't over while a dose of its cycle is still to come.
unfinished as (
    select
        assessed.person_id,
        assessed.evaluation,
        rule.variable,
        min(later.dosed_on) as found_on,
        false as truth,
        arg_min(later.resource_key, (later.dosed_on, later.resource_key)) as resource_key
    from assessed
    join finding_rule as rule on rule.kind = 'course'
    join doses as earlier
        on earlier.person_id = assessed.person_id and earlier.dosed_on <= assessed.measured_on
    join doses as later
        on later.person_id = assessed.person_id
        and later.cycle is not distinct from earlier.cycle
        and later.dosed_on > assessed.measured_on
    group by assessed.person_id, assessed.evaluation, rule.variable
)

from observed
union all from done
union all from unfinished
