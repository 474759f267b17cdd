-- One row per suspect of a current AdverseEvent: the codes of what it is, and whether it was assessed as a cause.

with suspect as (
    select site, resource_key, suspect, any_value(coalesce(instance_key, instance_key_r5)) as instance_key
    from current.adverse_event_suspect
    group by site, resource_key, suspect
),

sent_assessment (site, resource_key, suspect, system, code) as (
    select site, resource_key, suspect, causality_system, causality_code from current.adverse_event_suspect
    union
    select site, resource_key, suspect, relatedness_system, relatedness_code from current.adverse_event_suspect
),

assessment as (
    from sent_assessment
    union
    select sent.site, sent.resource_key, sent.suspect, map.target_system, map.target_code
    from sent_assessment as sent
    join current.concept_map as map
        on map.site = sent.site
        and map.source_system = sent.system
        and map.source_code = sent.code
),

-- Certain, probable or possible; in the NCI Thesaurus, which has several URIs, related or possible.
related as (
    select distinct site, resource_key, suspect
    from assessment
    where lower(code) in ('certain', 'probably-likely', 'possible') or code in ('C53260', 'C53258')
),

-- The suspect may be a Medication, or the record of a dose.
referred as (
    select distinct suspect.site, suspect.resource_key, suspect.suspect, name.resource_key as drug_key
    from suspect
    join current.name as name on name.site = suspect.site and name.name = suspect.instance_key
),

coding as (
    select site, resource_key, suspect, instance_system as system, instance_code as code
    from current.adverse_event_suspect
    where instance_code is not null
    union
    select referred.site, referred.resource_key, referred.suspect, drug.system, drug.code
    from referred
    join medication_code as drug on drug.site = referred.site and drug.resource_key = referred.drug_key
    union
    select referred.site, referred.resource_key, referred.suspect, drug.system, drug.code
    from referred
    join drug_coding as drug on drug.site = referred.site and drug.resource_key = referred.drug_key
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
    related.suspect is not null as is_related,
    codes.codes is not null as has_codes
from suspect
left join codes
    on codes.site = suspect.site
    and codes.resource_key = suspect.resource_key
    and codes.suspect = suspect.suspect
left join related
    on related.site = suspect.site
    and related.resource_key = suspect.resource_key
    and related.suspect = suspect.suspect
