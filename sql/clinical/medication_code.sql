-- One row per code of a current Medication: its product's, its ingredients', and those of Medications that it is mixed of.

with recursive item as (
    select
        medication.site,
        medication.resource_key,
        name.resource_key as item_key
    from current.medication
    join current.name as name
        on name.site = medication.site
        and name.name = coalesce(medication.item_key, medication.item_key_r5)
        and name.resource_type = 'Medication'
),

-- A mix may name itself through another; each Medication is reached once.
reached (site, resource_key, part_key) as (
    select distinct site, resource_key, resource_key from current.medication
    union
    select reached.site, reached.resource_key, item.item_key
    from reached
    join item on item.site = reached.site and item.resource_key = reached.part_key
),

coding as (
    select site, resource_key, code_system as system, code_code as code from current.medication
    union
    select site, resource_key, concept_system, concept_code from current.medication
)

select distinct reached.site, reached.resource_key, coding.system, coding.code
from reached
join coding on coding.site = reached.site and coding.resource_key = reached.part_key
where coding.code is not null
