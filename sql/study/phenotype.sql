-- One row per treated person with a diagnosis that tells the phenotype; null where the codes contradict each other.

with coded as (
    select
        record.person_id,
        phenotype_rule.level,
        imputed_day(
            coalesce(record.onset_first, record.recorded_first),
            case when record.onset_first is null then record.recorded_last else record.onset_last end,
            setting.impute, treated.birth_first, least(treated.index_date, treated.last_possible_day), treated.data_cutoff
        ) as diagnosed_on,
        treated.index_date,
        record.resource_key
    from diagnosis as record
    cross join setting
    join phenotype_rule on phenotype_rule.codelist = record.codelist
    join treated on treated.person_id = record.person_id
    where record.study = setting.study
        and record.is_counted
        and coalesce(coalesce(record.onset_first, record.recorded_first) <= treated.data_cutoff, true)
),

-- What is known at baseline wins over what was coded later.
chosen as (
    select *
    from coded
    qualify rank() over (
        partition by person_id
        order by
            coalesce(diagnosed_on > index_date, false),
            case when diagnosed_on <= index_date then diagnosed_on end desc nulls last,
            diagnosed_on
    ) = 1
)

select
    person_id,
    case when count(distinct level) = 1 then any_value(level) end as level,
    min(resource_key) as resource_key
from chosen
group by person_id
