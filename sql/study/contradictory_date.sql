-- One row per treated person, kind of two dates that, as the study takes them, can't both be right, and a record that has
-- one of them.

select 'birth_after_treatment' as kind, person_id, resource_key
from treated
where birth_first > index_date
union
select 'birth_after_diagnosis', study_diagnosis.person_id, study_diagnosis.resource_key
from study_diagnosis
join treated on treated.person_id = study_diagnosis.person_id
where study_diagnosis.is_in_time and treated.birth_first > study_diagnosis.diagnosed_on
union
select 'death_before_treatment', death.person_id, death.resource_key
from death
join treated on treated.person_id = death.person_id
where death.death_on < treated.index_date
union
-- A diagnosis may be recorded after the death that it led to, as its cause may.
select 'record_after_death', contact.person_id, contact.resource_key
from contact
join death on death.person_id = contact.person_id
join treated on treated.person_id = contact.person_id
anti join cause_of_death as cause
    on cause.person_id = contact.person_id and cause.resource_key = contact.resource_key
where contact.kind <> 'diagnosis' and contact.starts_on > death.death_on and contact.starts_on <= treated.data_cutoff
