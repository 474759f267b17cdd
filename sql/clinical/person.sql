-- One row per person: a current Patient of a site that was not merged into another.

with survivor as (
    select distinct site, survivor_key from merge
)

select
    left(identity_hash(patient.site || '|' || patient.resource_key), 16) as person_id,
    patient.resource_key as patient_key,
    case when patient.gender in ('male', 'female', 'other') then patient.gender else 'unknown' end as sex,
    patient.birth_date as birth_text,
    date_on(placed(patient.birth_date, patient.site)) as birth_on,
    instant_at(placed(patient.birth_date, patient.site)) as birth_at,
    date_precision(placed(patient.birth_date, patient.site)) as birth_precision,
    date_first(placed(patient.birth_date, patient.site)) as birth_first,
    date_last(placed(patient.birth_date, patient.site)) as birth_last,
    patient.site,
    patient.resource_type,
    patient.resource_id,
    patient.resource_version,
    patient.file,
    patient.line,
    patient.resource_key
from current.patient as patient
join survivor on survivor.site = patient.site and survivor.survivor_key = patient.resource_key
