-- One row per resource and rule that it breaks though it was mapped; and per reference that resolves to nothing.

with unresolved as (
    select site, file, line, 'reference:unresolved-patient' as rule, resource_type as type, resource_id as id
    from clinical.diagnosis
    where person_id is null
    union
    select site, file, line, 'reference:unresolved-patient', resource_type, resource_id
    from clinical.drug_exposure
    where person_id is null
    union
    select site, file, line, 'reference:unresolved-patient', resource_type, resource_id
    from clinical.measurement
    where person_id is null
    union
    select site, file, line, 'reference:unresolved-patient', resource_type, resource_id
    from clinical.procedure
    where person_id is null
    union
    select site, file, line, 'reference:unresolved-patient', resource_type, resource_id
    from clinical.adverse_event
    where person_id is null
    union
    select site, file, line, 'reference:unresolved-patient', resource_type, resource_id
    from clinical.visit
    where person_id is null
),

unresolved_drug as (
    select distinct
        record.site, record.file, record.line,
        'reference:unresolved-medication' as rule, record.resource_type as type, record.resource_id as id
    from clinical.drug_record as record
    anti join current.name as name on name.site = record.site and name.name = record.medication_key
    where record.medication_key is not null
),

unit as (
    select distinct site, file, line, 'unit:not-convertible' as rule, resource_type as type, resource_id as id
    from clinical.measurement
    where has_unit_problem
),

-- The former version stays current where the newest can't be read.
outdated as (
    select distinct
        version.site, version.file, version.line,
        'version:newest-quarantined' as rule, version.type, version.id
    from current.version as version
    join fhir.resource as newer
        on newer.site = version.site
        and newer.type = version.type
        and newer.id = version.id
        and newer.status = 'quarantined'
    where version.is_current
        and (
            newer.last_updated > version.last_updated
            or (newer.last_updated is not distinct from version.last_updated
                and try_cast(newer.version as bigint) > try_cast(version.version as bigint))
        )
)

select site, file, line, rule, type, id from fhir.finding
union all
from unresolved
union all
from unresolved_drug
union all
from unit
union all
from outdated
