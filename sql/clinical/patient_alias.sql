-- One row per name by which a reference may mean a person: keys of merged Patients, full URLs, hashed identifiers.

select name.site, name.name as patient_key, person.person_id
from current.name as name
join merge on merge.site = name.site and merge.patient_key = name.resource_key
join person on person.site = merge.site and person.patient_key = merge.survivor_key
