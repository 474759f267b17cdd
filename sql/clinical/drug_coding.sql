-- One row per code of a drug record, its Medication's codes and ingredients among them.

with record as (
    select distinct site, resource_key, medication_key from drug_record
)

select site, resource_key, code_system as system, code_code as code
from drug_record
where code_code is not null
union
select site, resource_key, concept_system, concept_code
from drug_record
where concept_code is not null
union
select record.site, record.resource_key, medication_code.system, medication_code.code
from record
join current.name as name
    on name.site = record.site
    and name.name = record.medication_key
    and name.resource_type = 'Medication'
join medication_code on medication_code.site = name.site and medication_code.resource_key = name.resource_key
