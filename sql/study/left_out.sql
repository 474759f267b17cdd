-- One row per resource that this study doesn't use, and rule that it breaks and the protocol calls fatal. A record of a
-- drug goes with the Medication that it means.

with recursive broken as (
    select
        finding.site, finding.file, finding.line, finding.type, finding.id, finding.rule,
        fatal_rule.rule as fatal_rule
    from quality.finding as finding
    join fatal_rule
        on finding.rule = fatal_rule.rule
        or starts_with(finding.rule, fatal_rule.rule || ':')
        or starts_with(finding.rule, fatal_rule.rule || '.')
),

own as (
    select distinct
        validated.site,
        validated.file,
        validated.line,
        validated.type as resource_type,
        validated.id as resource_id,
        validated.resource_key,
        broken.rule,
        broken.fatal_rule
    from broken
    join quality.validated as validated using (site, file, line, type, id)
),

-- A Medication, and every mix of it.
medication (site, resource_key, rule, fatal_rule) as (
    select site, resource_key, rule, fatal_rule from own where resource_type = 'Medication'
    union
    select mix.site, mix.resource_key, medication.rule, medication.fatal_rule
    from medication
    join current.name as name
        on name.site = medication.site
        and name.resource_key = medication.resource_key
        and name.resource_type = 'Medication'
    join current.medication as mix
        on mix.site = name.site
        and coalesce(mix.item_key, mix.item_key_r5) = name.name
),

drug as (
    select distinct
        record.site,
        record.file,
        record.line,
        record.resource_type,
        record.resource_id,
        record.resource_key,
        medication.rule,
        medication.fatal_rule
    from medication
    join current.name as name
        on name.site = medication.site
        and name.resource_key = medication.resource_key
        and name.resource_type = 'Medication'
    join clinical.drug_record as record
        on record.site = name.site
        and record.medication_key = name.name
)

from own
union
from drug
