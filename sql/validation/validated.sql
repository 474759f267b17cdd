-- One row per resource that is validated in full: the current ones of everyone with a record of a study's index drug,
-- and the Medications that their records mean. Contained resources are validated with their owners.

with recursive treated as (
    select distinct exposure.person_id
    from clinical.drug_exposure as exposure
    join clinical.study_role as role
        on role.role = 'index_drug'
        and role.study = exposure.study
        and role.codelist = exposure.codelist
    where exposure.person_id is not null
),

-- Every name by which a record may mean one of them.
patient_name as (
    select distinct alias.site, alias.patient_key
    from clinical.patient_alias as alias
    semi join treated on treated.person_id = alias.person_id
),

record as (
    select site, resource_key, patient_key from current.encounter
    union all
    select site, resource_key, patient_key from current.condition
    union all
    select site, resource_key, patient_key from current.observation
    union all
    select site, resource_key, patient_key from current.procedure
    union all
    select site, resource_key, patient_key from current.adverse_event
    union all
    select site, resource_key, patient_key from current.medication_administration
    union all
    select site, resource_key, patient_key from current.medication_dispense
    union all
    select site, resource_key, patient_key from current.medication_request
    union all
    select site, resource_key, patient_key from current.medication_statement
    union all
    -- A Patient is its own, one that was merged into another too.
    select site, resource_key, resource_key as patient_key from current.patient
),

own as (
    select distinct record.site, record.resource_key
    from record
    semi join patient_name as name on name.site = record.site and name.patient_key = record.patient_key
),

-- A mix may name itself through another; each Medication is reached once.
medication (site, resource_key) as (
    select name.site, name.resource_key
    from clinical.drug_record as drug
    semi join own on own.site = drug.site and own.resource_key = drug.resource_key
    join current.name as name
        on name.site = drug.site
        and name.name = drug.medication_key
        and name.resource_type = 'Medication'
    union
    select name.site, name.resource_key
    from medication
    join current.medication as mix on mix.site = medication.site and mix.resource_key = medication.resource_key
    join current.name as name
        on name.site = mix.site
        and name.name = coalesce(mix.item_key, mix.item_key_r5)
        and name.resource_type = 'Medication'
),

chosen as (
    from own
    union
    from medication
),

with_owner as (
    select distinct
        version.site,
        case when version.is_contained then version.owner_key else version.resource_key end as resource_key
    from current.version as version
    semi join chosen on chosen.site = version.site and chosen.resource_key = version.resource_key
    where version.is_current
)

select
    version.site,
    version.file,
    version.line,
    version.type,
    version.id,
    version.fhir_version,
    version.hash,
    version.resource_key
from current.version as version
semi join with_owner on with_owner.site = version.site and with_owner.resource_key = version.resource_key
where version.is_current and not version.is_contained
