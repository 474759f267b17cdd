-- One row per known person: the steps passed, and why the person left. Each step presumes the one before.

with diagnosed as (
    select person_id, bool_or(is_in_time) as is_in_time
    from study_diagnosis
    group by person_id
),

dosed as (
    select distinct exposure.person_id
    from drug_exposure as exposure
    cross join setting
    where exposure.study = setting.study and exposure.codelist = setting.index_codelist
),

step as (
    select
        person.person_id,
        person.site,
        -- Without a diagnosis in the protocol there is no such step, and everybody passes.
        setting.diagnosis_codelist is null or coalesce(diagnosed.is_in_time, false) as is_diagnosed,
        diagnosed.person_id is not null as has_diagnosis,
        dosed.person_id is not null as has_dose,
        treatment.person_id is not null as has_counted_dose
    from person
    cross join setting
    left join diagnosed on diagnosed.person_id = person.person_id
    left join dosed on dosed.person_id = person.person_id
    left join treatment on treatment.person_id = person.person_id
)

select
    person_id,
    site,
    is_diagnosed,
    is_diagnosed and has_counted_dose as is_treated,
    case
        when not is_diagnosed then 'diagnosed'
        when not has_counted_dose then 'treated'
        else ''
    end as left_at,
    case
        when not is_diagnosed and has_diagnosis then 'diagnosed too late after the index date'
        when not is_diagnosed then 'no counted diagnosis'
        when not has_counted_dose and has_dose then 'no dose of an index drug that counts'
        when not has_counted_dose then 'no dose of an index drug'
        else ''
    end as reason
from step
