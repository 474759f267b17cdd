-- One row per name by which a reference may mean a person: keys of merged Patients, full URLs, hashed identifiers.

with named as (
    select site, patient_key as name, patient_key from merge
    union
    select alias.site, alias.name, alias.resource_key
    from current.alias as alias
    -- What is a held Patient's own key means that one.
    anti join current.patient as held on held.site = alias.site and held.resource_key = alias.name
    where alias.resource_type = 'Patient'
)

-- Several Patients may share a name when they are merged; when they aren't, it means none of them.
select named.site, named.name as patient_key, min(person.person_id) as person_id
from named
join merge on merge.site = named.site and merge.patient_key = named.patient_key
join person on person.site = merge.site and person.patient_key = merge.survivor_key
group by named.site, named.name
having count(distinct person.person_id) = 1
