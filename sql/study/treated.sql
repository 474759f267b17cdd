-- One row per treated person: the dates that every later model needs.

select
    treatment.*,
    imputed_day(
        person.birth_first, person.birth_last, setting.impute,
        null::date, least(treatment.index_date, lifespan.last_possible_day)
    ) as birth_on,
    coalesce(person.birth_first < person.birth_last, false) as is_birth_imputed,
    person.sex,
    lifespan.birth_first,
    lifespan.last_possible_day,
    lifespan.data_cutoff,
    person.resource_key
from treatment
join attrition on attrition.person_id = treatment.person_id
join person on person.person_id = treatment.person_id
join lifespan on lifespan.person_id = treatment.person_id
cross join setting
where attrition.is_treated
