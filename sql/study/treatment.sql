-- One row per person with a counted dose of an index drug: first and last day, and how much.

with first_day as (
    select person_id, min(dosed_on) as index_date, max(dosed_on) as last_dose_on
    from doses
    group by person_id
)

select
    doses.person_id,
    any_value(doses.site) as site,
    any_value(index_date) as index_date,
    min(doses.dosed_at) filter (where doses.dosed_on = index_date) as index_at,
    any_value(last_dose_on) as last_dose_on,
    count(*)::integer as doses,
    max(doses.cycle)::integer as cycles,
    arg_min(doses.evidence_level, doses.evidence_rank) as evidence_level
from doses
join first_day on first_day.person_id = doses.person_id
group by doses.person_id
