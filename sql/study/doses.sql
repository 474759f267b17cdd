-- One row per dose of an index drug, with its cycle.

with dose as (
    select drug_record.*
    from drug_record
    cross join setting
    where drug_record.codelist = setting.index_codelist
),

day as (
    select distinct person_id, dosed_on from dose
),

gap as (
    select *, dosed_on - lag(dosed_on) over (partition by person_id order by dosed_on) as days_since
    from day
),

numbered as (
    select
        gap.person_id,
        gap.dosed_on,
        case when setting.cycle_gap_days is not null then
            1 + count(*) filter (where days_since >= setting.cycle_gap_days)
                over (partition by person_id order by dosed_on)
        end as cycle
    from gap
    cross join setting
)

select
    dose.person_id,
    dose.site,
    dose.drug,
    dose.evidence_level,
    dose.evidence_rank,
    dose.dosed_on,
    dose.dosed_at,
    dose.is_imputed,
    numbered.cycle,
    dose.dose_value,
    dose.dose_unit,
    dose.resource_key
from dose
join numbered on numbered.person_id = dose.person_id and numbered.dosed_on = dose.dosed_on
