-- One row per current Encounter.

with record as (
    select
        site,
        resource_key,
        any_value(columns(* exclude (
            site, resource_key, discharge_system, discharge_code, admission_discharge_system, admission_discharge_code
        )))
    from current.encounter
    group by site, resource_key
)

select
    patient_alias.person_id,
    record.status,
    coalesce(record.status not in ('planned', 'cancelled', 'entered-in-error'), true) as is_counted,
    coalesce(record.period_start, record.actual_period_start) as started,
    coalesce(record.period_end, record.actual_period_end) as ended,
    record.site,
    record.resource_type,
    record.resource_id,
    record.resource_version,
    record.file,
    record.line,
    record.resource_key
from record
left join patient_alias on patient_alias.site = record.site and patient_alias.patient_key = record.patient_key
