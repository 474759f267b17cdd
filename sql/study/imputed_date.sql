-- One row per treated person and kind of date of which one or more were imputed.

select 'birth' as kind, person_id from treated where is_birth_imputed
union
select 'death', person_id from death where is_imputed or not is_dated
union
select 'diagnosis', study_diagnosis.person_id
from study_diagnosis
semi join treated on treated.person_id = study_diagnosis.person_id
where study_diagnosis.is_imputed
union
select 'teae_onset', person_id from teae where is_onset_imputed
union
select 'dose', doses.person_id
from doses
semi join treated on treated.person_id = doses.person_id
where doses.is_imputed
union
select 'event', person_id from named_event where is_imputed
union
select 'assessment', person_id from assessed where is_imputed
