-- One row per counted condition on the diagnosis codelist, at or before the cut-off, with its day.

with dated as (
    select
        diagnosis.person_id,
        diagnosis.site,
        treatment.index_date,
        coalesce(onset_first, recorded_first) as first_day,
        case when onset_first is null then recorded_last else onset_last end as last_day,
        lifespan.birth_first,
        lifespan.last_possible_day,
        lifespan.data_cutoff,
        setting.impute,
        setting.diagnosis_days_after_index,
        diagnosis.resource_key
    from diagnosis
    cross join setting
    join lifespan on lifespan.person_id = diagnosis.person_id
    left join treatment on treatment.person_id = diagnosis.person_id
    where diagnosis.study = setting.study
        and diagnosis.codelist = setting.diagnosis_codelist
        and diagnosis.is_counted
),

imputed as (
    select
        *,
        imputed_day(first_day, last_day, impute, birth_first, least(index_date, last_possible_day), data_cutoff)
            as diagnosed_on,
        coalesce(first_day < last_day, false) as is_imputed
    from dated
    where first_day is null or first_day <= data_cutoff
)

select
    person_id,
    site,
    diagnosed_on,
    is_imputed,
    -- A missing date counts, and without an index date any diagnosis does.
    coalesce(diagnosed_on <= index_date + diagnosis_days_after_index, true) as is_in_time,
    resource_key
from imputed
