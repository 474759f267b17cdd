-- One row per source that says that a person died: Patient, observation, discharge, fatal adverse event.

with patient as (
    select
        'patient' as kind,
        null::varchar as study,
        patient_alias.person_id,
        patient.deceased_datetime as died,
        patient.site,
        patient.resource_type,
        patient.resource_id,
        patient.resource_version,
        patient.file,
        patient.line,
        patient.resource_key
    from current.patient as patient
    left join patient_alias
        on patient_alias.site = patient.site
        and patient_alias.patient_key = patient.resource_key
    where patient.deceased_datetime is not null or patient.deceased_boolean
),

-- By its code, or by its value.
observation as (
    select distinct
        'observation' as kind,
        role.study,
        measurement.person_id,
        measurement.measured_text as died,
        measurement.site,
        measurement.resource_type,
        measurement.resource_id,
        measurement.resource_version,
        measurement.file,
        measurement.line,
        measurement.resource_key
    from measurement
    join study_role as role on role.role = 'death'
    left join unnest(measurement.value_codes) as value (value_code) on true
    left join current.code as code
        on code.study = role.study
        and code.codelist = role.codelist
        and code.site = measurement.site
        and code.system = value_code.system
        and code.code = value_code.code
    where measurement.is_counted
        and measurement.value_boolean is distinct from false
        and not measurement.is_absent
        and (
            code.code is not null
            or (measurement.study = role.study and measurement.codelist = role.codelist)
        )
),

sent_disposition (site, resource_key, system, code) as (
    select site, resource_key, discharge_system, discharge_code from current.encounter
    union
    select site, resource_key, admission_discharge_system, admission_discharge_code from current.encounter
),

-- A site's own code is a death only when its ConceptMap says so.
disposition as (
    from sent_disposition
    union
    select sent.site, sent.resource_key, map.target_system, map.target_code
    from sent_disposition as sent
    join current.concept_map as map
        on map.site = sent.site
        and map.source_system = sent.system
        and map.source_code = sent.code
),

expired as (
    select distinct site, resource_key
    from disposition
    where system = 'http://terminology.hl7.org/CodeSystem/discharge-disposition' and code = 'exp'
),

-- Expired is a death in every study; a study's codelist may name further codes.
died_in_hospital as (
    select site, resource_key, null::varchar as study from expired
    union all
    select distinct disposition.site, disposition.resource_key, role.study
    from disposition
    join study_role as role on role.role = 'discharge'
    join current.code as code
        on code.study = role.study
        and code.codelist = role.codelist
        and code.site = disposition.site
        and code.system = disposition.system
        and code.code = disposition.code
    anti join expired on expired.site = disposition.site and expired.resource_key = disposition.resource_key
),

encounter as (
    select
        'encounter' as kind,
        died_in_hospital.study,
        visit.person_id,
        visit.ended as died,
        visit.site,
        visit.resource_type,
        visit.resource_id,
        visit.resource_version,
        visit.file,
        visit.line,
        visit.resource_key
    from died_in_hospital
    join visit
        on visit.site = died_in_hospital.site
        and visit.resource_key = died_in_hospital.resource_key
    where visit.is_counted
),

fatal as (
    select
        'adverse_event' as kind,
        null::varchar as study,
        event.person_id,
        coalesce(event.ended_text, event.onset_text) as died,
        event.site,
        event.resource_type,
        event.resource_id,
        event.resource_version,
        event.file,
        event.line,
        event.resource_key
    from adverse_event as event
    where event.is_fatal and event.is_counted
),

record as (
    from patient
    union all by name
    from observation
    union all by name
    from encounter
    union all by name
    from fatal
)

select
    record.kind,
    record.study,
    record.person_id,
    record.died as died_text,
    date_on(placed(record.died, record.site)) as died_on,
    instant_at(placed(record.died, record.site)) as died_at,
    date_precision(placed(record.died, record.site)) as died_precision,
    date_first(placed(record.died, record.site)) as died_first,
    date_last(placed(record.died, record.site)) as died_last,
    record.site,
    record.resource_type,
    record.resource_id,
    record.resource_version,
    record.file,
    record.line,
    record.resource_key
from record
