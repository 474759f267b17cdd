-- One row per resource and rule that it breaks though it was mapped; per reference that resolves to nothing, per deletion
-- that doesn't say what it ends, and per date of a person that another contradicts.

with unresolved_patient as (
    select site, file, line, resource_type as type, resource_id as id from clinical.diagnosis where person_id is null
    union
    select site, file, line, resource_type, resource_id from clinical.drug_exposure where person_id is null
    union
    select site, file, line, resource_type, resource_id from clinical.measurement where person_id is null
    union
    select site, file, line, resource_type, resource_id from clinical.procedure where person_id is null
    union
    select site, file, line, resource_type, resource_id from clinical.adverse_event where person_id is null
    union
    select site, file, line, resource_type, resource_id from clinical.visit where person_id is null
),

-- A reference to a Medication, from a record of a drug or from a mix; without a key where it is of no form that one has.
drug_reference as (
    select site, file, line, resource_type as type, resource_id as id, medication_key
    from clinical.drug_record
    where has_medication_reference
    union
    select site, file, line, resource_type, resource_id, coalesce(item_key, item_key_r5)
    from current.medication
    where has_item_reference and not starts_with(coalesce(item_key, item_key_r5, ''), 'Substance')
),

unresolved_medication as (
    select distinct reference.site, reference.file, reference.line, reference.type, reference.id
    from drug_reference as reference
    anti join current.name as name
        on name.site = reference.site
        and name.name = reference.medication_key
        and name.resource_type = 'Medication'
),

-- What an adverse event suspects: a drug or a record of one, not a device or anything else that no view reads.
suspect_reference as (
    select
        site,
        file,
        line,
        resource_type as type,
        resource_id as id,
        coalesce(instance_key, instance_key_r5) as instance_key
    from current.adverse_event_suspect
    where has_instance_reference
),

unresolved_suspect as (
    select distinct reference.site, reference.file, reference.line, reference.type, reference.id
    from suspect_reference as reference
    anti join current.name as name on name.site = reference.site and name.name = reference.instance_key
    where coalesce(regexp_matches(reference.instance_key, '^(Medication|[^A-Z])|#'), true)
),

-- A person who was merged into one that isn't held stays a person.
unresolved_link as (
    select distinct link.site, link.file, link.line, link.resource_type as type, link.resource_id as id
    from current.patient_link as link
    anti join current.name as name
        on name.site = link.site
        and name.name = link.other_key
        and name.resource_type = 'Patient'
    where link.link_type = 'replaced-by'
),

doubtful_merge as (
    select distinct
        patient.site,
        patient.file,
        patient.line,
        patient.resource_type as type,
        patient.resource_id as id,
        case when merge.is_circular then 'link:circular' else 'link:forked' end as rule
    from current.patient
    join clinical.merge
        on merge.site = patient.site
        and merge.patient_key = patient.resource_key
        and (merge.is_circular or merge.is_forked)
),

unit as (
    select distinct site, file, line, resource_type as type, resource_id as id
    from clinical.measurement
    where has_unit_problem
),

refused as (
    select distinct site, type, id
    from fhir.resource
    where status = 'quarantined' and not is_contained and id is not null
),

-- The former version stays current where the newest can't be read.
newest as (
    select
        site,
        type,
        id,
        arg_max(status, (
            coalesce(last_updated, '-infinity'::timestamptz),
            coalesce(version_number(version), -1),
            landed_at,
            coalesce(hash, '')
        )) as status
    from fhir.resource
    semi join refused using (site, type, id)
    where status in ('mapped', 'quarantined') and not is_contained
    group by site, type, id
),

outdated as (
    select version.site, version.file, version.line, version.type, version.id
    from current.version as version
    join newest
        on newest.site = version.site
        and newest.type = version.type
        and newest.id = version.id
        and newest.status = 'quarantined'
    where version.is_current
),

-- Nobody can say what it ended: conditional by something else than an identifier, or by one of nobody or of several.
unresolved_deletion as (
    select distinct site, file, line, type, id
    from current.deletion
    where resource_key is null
),

narrower as (
    select distinct map.site, map.file, map.line, map.type, map.id
    from fhir.concept_map as map
    semi join current.resource using (site, file, line, part)
    where map.relationship in ('narrower', 'specializes', 'source-is-broader-than-target')
),

-- Sources of one death that no single day can satisfy; the protocol's order settles it.
conflicting_death as (
    select record.site, record.file, record.line, record.resource_type as type, record.resource_id as id
    from clinical.death_record as record
    join (
        select person_id
        from clinical.death_record
        where person_id is not null
        group by person_id
        having max(died_first) > min(died_last)
    ) as conflict on conflict.person_id = record.person_id
    where record.died_first is not null
    group by all
),

-- Dates of one person that can't all be right, whatever a partial one means.
treated as (
    select exposure.person_id, min(exposure.exposed_first) as first_day, min(exposure.exposed_last) as last_day
    from clinical.drug_exposure as exposure
    semi join clinical.study_role as role
        on role.role = 'index_drug' and role.study = exposure.study and role.codelist = exposure.codelist
    where exposure.is_counted and exposure.exposed_first is not null
    group by exposure.person_id
),

diagnosed as (
    select
        diagnosis.person_id,
        min(case when onset_first is null then recorded_last else onset_last end) as last_day
    from clinical.diagnosis as diagnosis
    semi join clinical.study_role as role
        on role.role = 'diagnosis' and role.study = diagnosis.study and role.codelist = diagnosis.codelist
    where diagnosis.is_counted
    group by diagnosis.person_id
),

late_birth as (
    select person.*, 'birth:after-treatment' as rule
    from clinical.person
    join treated on treated.person_id = person.person_id and treated.last_day < person.birth_first
    union all
    select person.*, 'birth:after-diagnosis'
    from clinical.person
    join diagnosed on diagnosed.person_id = person.person_id and diagnosed.last_day < person.birth_first
),

early_death as (
    select distinct record.site, record.file, record.line, record.resource_type as type, record.resource_id as id
    from clinical.death_record as record
    join treated on treated.person_id = record.person_id and record.died_last < treated.first_day
),

-- What a person did or was found to have. A diagnosis may be recorded after the death that it led to, as its cause may.
record_after_death as (
    select distinct contact.site, contact.file, contact.line, contact.resource_type as type, contact.resource_id as id
    from clinical.contact as contact
    join (
        select person_id, max(died_last) as last_day
        from clinical.death_record
        group by person_id
    ) as death on death.person_id = contact.person_id and contact.starts_on > death.last_day
    anti join (
        select measurement.site, measurement.resource_key
        from clinical.measurement as measurement
        join clinical.study_role as role
            on role.role = 'death_cause' and role.study = measurement.study and role.codelist = measurement.codelist
    ) as cause on cause.site = contact.site and cause.resource_key = contact.resource_key
    where contact.kind <> 'diagnosis'
),

invalid as (
    select site, file, line, resource_type as type, resource_id as id, rule
    from broken_rule
    where medication_key is null
),

found as (
    select *, 'reference:unresolved-patient' as rule from unresolved_patient
    union all by name
    select *, 'reference:unresolved-medication' as rule from unresolved_medication
    union all by name
    select *, 'reference:unresolved-suspect' as rule from unresolved_suspect
    union all by name
    select *, 'reference:unresolved-link' as rule from unresolved_link
    union all by name
    from doubtful_merge
    union all by name
    select *, 'unit:not-convertible' as rule from unit
    union all by name
    select *, 'version:newest-quarantined' as rule from outdated
    union all by name
    select *, 'deletion:unresolved' as rule from unresolved_deletion
    union all by name
    select *, 'concept-map:narrower-target' as rule from narrower
    union all by name
    select *, 'death:conflicting-dates' as rule from conflicting_death
    union all by name
    select *, 'death:before-treatment' as rule from early_death
    union all by name
    select *, 'record:after-death' as rule from record_after_death
    union all by name
    select site, file, line, resource_type as type, resource_id as id, rule from late_birth
    union all by name
    from invalid
    union all by name
    select site, file, line, type, id, rule from fhir.finding
)

select site, file, line, rule, type, id from found
