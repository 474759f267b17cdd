-- One row per treated person with an evaluation: the last at or before the cut-off, at least the first day of the main outcome.

with last_evaluation as (
    select person_id, site, measured_on, resource_key
    from evaluation
    qualify row_number() over (partition by person_id order by evaluation desc) = 1
)

select
    last_evaluation.person_id,
    last_evaluation.site,
    greatest(last_evaluation.measured_on, response.main_outcome_on) as assessed_on,
    last_evaluation.resource_key
from last_evaluation
join response on response.person_id = last_evaluation.person_id
