-- One row per suspect of a current AdverseEvent: the codes of what it is, and whether it was assessed as a cause.

with suspect as (
    select
        site,
        resource_key,
        suspect,
        any_value(coalesce(instance_key, instance_key_r5)) as instance_key,
        -- Assessed as certain, probable or possible; or, in the NCI Thesaurus, as related or possible.
        coalesce(bool_or(
            lower(coalesce(causality_code, relatedness_code)) in ('certain', 'probably-likely', 'possible')
            or coalesce(causality_code, relatedness_code) in ('C53260', 'C53258')
        ), false) as is_related
    from current.adverse_event_suspect
    group by site, resource_key, suspect
),

coding as (
    select site, resource_key, suspect, instance_system as system, instance_code as code
    from current.adverse_event_suspect
    where instance_code is not null
    union
    select suspect.site, suspect.resource_key, suspect.suspect, drug.system, drug.code
    from suspect
    join current.name as name on name.site = suspect.site and name.name = suspect.instance_key
    join (from medication_code union from drug_coding) as drug
        on drug.site = name.site
        and drug.resource_key = name.resource_key
),

codes as (
    select site, resource_key, suspect, list_sort(list(struct_pack(system := system, code := code))) as codes
    from coding
    group by site, resource_key, suspect
)

select
    suspect.resource_key,
    suspect.site,
    suspect.suspect,
    coalesce(codes.codes, []) as codes,
    suspect.is_related,
    codes.codes is not null as has_codes
from suspect
left join codes
    on codes.site = suspect.site
    and codes.resource_key = suspect.resource_key
    and codes.suspect = suspect.suspect
