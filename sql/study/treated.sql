-- One row per treated person: the dates that every later model needs.

with dead as (
    select
        treatment.person_id,
        imputed_day(
            recorded.died_first, recorded.died_last, setting.impute,
            greatest(lifespan.birth_first, treatment.index_date), null::date, lifespan.data_cutoff
        ) as died_on
    from treatment
    join lifespan on lifespan.person_id = treatment.person_id
    join recorded_death as recorded on recorded.person_id = treatment.person_id and not recorded.is_after_cutoff
    cross join setting
)

select
    treatment.*,
    imputed_day(
        person.birth_first, person.birth_last, setting.impute,
        null::date, least(treatment.index_date, lifespan.last_possible_day), lifespan.data_cutoff
    ) as birth_on,
    coalesce(person.birth_first < person.birth_last, false) as is_birth_imputed,
    person.sex,
    lifespan.birth_first,
    dead.died_on,
    -- Nothing is imputed after the death that is used, though the period of a partial one may go on.
    least(lifespan.last_possible_day, dead.died_on) as last_possible_day,
    lifespan.data_cutoff,
    person.resource_key
from treatment
join attrition on attrition.person_id = treatment.person_id
join person on person.person_id = treatment.person_id
join lifespan on lifespan.person_id = treatment.person_id
left join dead on dead.person_id = treatment.person_id
cross join setting
where attrition.is_treated
