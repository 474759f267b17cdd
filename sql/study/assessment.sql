-- One row per response assessment: the value assessed, the response, and the sources of both. What was paired with it stands in
-- assessment_value.

with assumed as (
    select person_id, evaluation, list(variable order by variable) as variables
    from assessment_value
    where is_assumed
    group by person_id, evaluation
),

certain as (
    select trial.person_id, trial.evaluation, bool_and(response_level.is_main_outcome) as is_certain
    from assessment_response as trial
    join response_level on response_level.response = trial.response
    where trial.trial > 0
    group by trial.person_id, trial.evaluation
)

select
    assessed.person_id,
    assessed.site,
    assessed.evaluation,
    assessed.measured_on as assessed_on,
    assessed.measured_at as assessed_at,
    assessed.is_imputed,
    assessed.value,
    assessed.comparator,
    baseline.value as baseline_value,
    result.response,
    result.missing,
    coalesce(assumed.variables, []::varchar[]) as assumed,
    response_level.is_main_outcome or coalesce(certain.is_certain, false) as is_main_outcome_certain,
    assessed.resource_key,
    baseline.resource_key as baseline_resource_key
from assessed
cross join setting
join assessment_response as result
    on result.person_id = assessed.person_id and result.evaluation = assessed.evaluation and result.trial = 0
join response_level on response_level.response = result.response
left join assumed on assumed.person_id = assessed.person_id and assumed.evaluation = assessed.evaluation
left join certain on certain.person_id = assessed.person_id and certain.evaluation = assessed.evaluation
left join baseline
    on baseline.person_id = assessed.person_id and baseline.codelist = setting.assessment_codelist
