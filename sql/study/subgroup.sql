-- One row per treated person and grouping: the site, the comparing event, and each of the protocol's subgroups.

with variable as (
    unpivot (
        select
            person_id,
            age::varchar as age,
            sex,
            phenotype,
            regimen,
            refractory,
            evidence_level
        from cohort
    )
    on age, sex, phenotype, regimen, refractory, evidence_level
    into name variable value level
)

select person_id, 'site' as variable, site as level
from cohort
union all
select person_id, setting.survival_by_event, case when has_comparing_event then 'yes' else 'no' end
from cohort
cross join setting
where setting.survival_by_event is not null
union all
select
    cohort.person_id,
    rule.subgroup,
    case
        when rule.subgroup in (select subgroup from subgroup_band) then coalesce(band.level, 'missing')
        else coalesce(variable.level, 'missing')
    end
from cohort
cross join subgroup_rule as rule
left join variable on variable.person_id = cohort.person_id and variable.variable = rule.variable
left join subgroup_band as band
    on band.subgroup = rule.subgroup
    and try_cast(variable.level as double) >= coalesce(band.at_least, '-infinity'::double)
    and try_cast(variable.level as double) < coalesce(band.below, 'infinity'::double)
