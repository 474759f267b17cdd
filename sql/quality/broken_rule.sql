-- One row per resource that was validated in full, and rule that it breaks; again per rule that the Medication which it
-- means breaks, of which it is a record or a mix.

-- The same content breaks the same rules wherever it stands.
with recursive own as (
    select distinct
        validated.site,
        validated.file,
        validated.line,
        validated.type as resource_type,
        validated.id as resource_id,
        validated.resource_key,
        content.rule
    from validated
    join temp.content_rule as content using (hash, fhir_version)
),

medication_name as (
    select site, name, resource_key from current.name where resource_type = 'Medication'
),

-- A Medication, and every mix of it.
medication (site, resource_key, medication_key, rule) as (
    select site, resource_key, resource_key, rule from own where resource_type = 'Medication'
    union
    select mix.site, mix.resource_key, medication.medication_key, medication.rule
    from medication
    join medication_name as name on name.site = medication.site and name.resource_key = medication.resource_key
    join current.medication as mix
        on mix.site = name.site
        and coalesce(mix.item_key, mix.item_key_r5) = name.name
),

meaning as (
    select record.site, record.resource_key, medication.medication_key, medication.rule
    from medication
    join medication_name as name on name.site = medication.site and name.resource_key = medication.resource_key
    join clinical.drug_record as record
        on record.site = name.site
        and record.medication_key = name.name
    union
    from medication where resource_key <> medication_key
)

select *, null::varchar as medication_key from own
union all by name
select
    validated.site,
    validated.file,
    validated.line,
    validated.type as resource_type,
    validated.id as resource_id,
    validated.resource_key,
    meaning.rule,
    meaning.medication_key
from meaning
join validated
    on validated.site = meaning.site
    and validated.resource_key = meaning.resource_key
