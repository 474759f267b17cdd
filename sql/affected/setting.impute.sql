-- One row per person with a partial date: whom another rule for these can touch.

select person_id from person where birth_first < birth_last
union
select person_id from diagnosis where onset_first < onset_last or recorded_first < recorded_last
union
select person_id from drug_exposure where exposed_first < exposed_last
union
select person_id from measurement where measured_first < measured_last
union
select person_id from procedure where performed_first < performed_last
union
select person_id from adverse_event where onset_first < onset_last
union
select person_id from death_record where died_first < died_last
