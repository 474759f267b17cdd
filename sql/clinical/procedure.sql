-- One row per current Procedure and codelist that it falls on; one with an empty codelist where it falls on none.

with record as (
    select
        site,
        resource_key,
        any_value(columns(* exclude (site, resource_key, code_system, code_code, code_display)))
    from current.procedure
    group by site, resource_key
),

coded as (
    select distinct procedure.site, procedure.resource_key, code.study, code.codelist, code.concept
    from current.procedure
    join current.code as code
        on code.site = procedure.site
        and code.system = procedure.code_system
        and code.code = procedure.code_code
),

dated as (
    select
        *,
        coalesce(
            performed_datetime, performed_period_start, occurrence_datetime, occurrence_period_start
        ) as performed
    from record
)

select
    coded.study,
    coded.codelist,
    coded.concept,
    patient_alias.person_id,
    dated.performed as performed_text,
    date_on(placed(dated.performed, dated.site)) as performed_on,
    instant_at(placed(dated.performed, dated.site)) as performed_at,
    date_precision(placed(dated.performed, dated.site)) as performed_precision,
    date_first(placed(dated.performed, dated.site)) as performed_first,
    date_last(placed(dated.performed, dated.site)) as performed_last,
    dated.status,
    coalesce(dated.status in ('completed', 'in-progress'), false) as is_counted,
    dated.site,
    dated.resource_type,
    dated.resource_id,
    dated.resource_version,
    dated.file,
    dated.line,
    dated.resource_key
from dated
left join coded on coded.site = dated.site and coded.resource_key = dated.resource_key
left join patient_alias on patient_alias.site = dated.site and patient_alias.patient_key = dated.patient_key
