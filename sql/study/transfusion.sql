-- One row per assessment with a platelet transfusion shortly before the count: the last one before it.

with transfused as (
    select
        record.person_id,
        imputed_day(
            record.performed_first, record.performed_last,
            treated.impute, treated.birth_first, treated.last_possible_day
        ) as performed_on,
        source_of(record) as source
    from procedure as record
    cross join setting
    join treated on treated.person_id = record.person_id
    where record.study = setting.study
        and record.codelist = setting.transfusion_codelist
        and record.is_counted
        and record.performed_first <= treated.data_cutoff
)

select assessed.person_id, assessed.evaluation, transfused.performed_on, transfused.source
from assessed
cross join setting
left join paired_value as count_value
    on count_value.person_id = assessed.person_id
    and count_value.evaluation = assessed.evaluation
    and count_value.variable = 'platelets'
join transfused
    on transfused.person_id = assessed.person_id
    -- Without a count the day of the assessment stands for the count's.
    and coalesce(count_value.measured_on, assessed.measured_on) - transfused.performed_on
        between 0 and setting.transfusion_days_before
qualify row_number() over (
    partition by assessed.person_id, assessed.evaluation
    order by transfused.performed_on desc, transfused.source.resource_key desc
) = 1
