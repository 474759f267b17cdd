-- One row per known person: the days that nothing about the person can pass.

select
    person.person_id,
    person.site,
    person.birth_first,
    least(recorded_death.died_last, data_cutoff) as last_possible_day,
    data_cutoff
from person
cross join data_cutoff
left join recorded_death on recorded_death.person_id = person.person_id
