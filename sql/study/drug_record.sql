-- One row per counted record of a listed drug, at the best evidence level that the person has for the drug.

with route as (
    select list(system || '|' || code) as keys
    from codelist
    where codelist = (select route_codelist from setting)
),

counted as (
    select
        exposure.person_id,
        exposure.site,
        exposure.codelist,
        exposure.concept as drug,
        exposure.evidence_level,
        evidence.rank as evidence_rank,
        imputed_day(
            exposure.exposed_first, exposure.exposed_last,
            setting.impute, lifespan.birth_first, lifespan.last_possible_day, lifespan.data_cutoff
        ) as dosed_on,
        exposure.exposed_at as dosed_at,
        exposure.exposed_first < exposure.exposed_last as is_imputed,
        exposure.dose_value,
        exposure.dose_unit,
        exposure.resource_key
    from drug_exposure as exposure
    cross join setting
    cross join route
    join evidence on evidence.evidence_level = exposure.evidence_level
    join lifespan on lifespan.person_id = exposure.person_id
    where exposure.study = setting.study
        and exposure.codelist in (select codelist from drug_codelist)
        and exposure.is_counted
        and exposure.exposed_first <= lifespan.data_cutoff
        and (
            setting.route_codelist is null
            or exposure.codelist <> setting.index_codelist
            or list_has_any(exposure.routes, route.keys)
        )
),

-- The best level of each person and drug, from the few columns that it takes.
best as (
    select person_id, codelist, drug, min(evidence_rank) as evidence_rank
    from counted
    group by all
)

select counted.*
from counted
join best using (person_id, codelist, drug, evidence_rank)
