-- One row per response assessment: the values paired with it, the response, and the sources of both.

with paired as (
    select
        person_id,
        evaluation,
        any_value(paired_value) filter (where variable = 'anc') as anc,
        any_value(paired_value) filter (where variable = 'platelets') as platelets,
        any_value(paired_value) filter (where variable = 'blood_blasts') as blood_blasts
    from paired_value
    group by person_id, evaluation
),

assumed as (
    select
        person_id,
        evaluation,
        bool_or(is_assumed) filter (where variable = 'blood_blasts') as blood_blasts_assumed,
        bool_or(is_assumed) filter (where variable = 'extramedullary') as extramedullary_assumed,
        bool_or(truth) filter (where variable = 'extramedullary') as extramedullary,
        bool_or(truth) filter (where variable = 'transfused') as transfused
    from assessment_value
    group by person_id, evaluation
),

certain as (
    select trial.person_id, trial.evaluation, bool_and(response_level.is_remission) as is_certain
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
    assessed.value as marrow_blasts,
    assessed.comparator as marrow_blasts_comparator,
    paired.anc.value as anc,
    paired.platelets.value as platelets,
    paired.blood_blasts.value as blood_blasts,
    assumed.extramedullary,
    assumed.transfused,
    baseline.value as baseline_marrow_blasts,
    result.response,
    result.missing,
    coalesce(assumed.blood_blasts_assumed, false) as blood_blasts_assumed,
    coalesce(assumed.extramedullary_assumed, false) as extramedullary_assumed,
    response_level.is_remission or coalesce(certain.is_certain, false) as is_remission_certain,
    unnest(assessed.source),
    paired.anc.source as anc_source,
    paired.platelets.source as platelets_source,
    paired.blood_blasts.source as blood_blasts_source,
    finding.source as extramedullary_source,
    transfusion.source as transfusion_source,
    baseline.source as baseline_source,
    paired.anc.source.resource_key as anc_resource_key,
    paired.platelets.source.resource_key as platelets_resource_key,
    paired.blood_blasts.source.resource_key as blood_blasts_resource_key
from assessed
cross join setting
join assessment_response as result
    on result.person_id = assessed.person_id and result.evaluation = assessed.evaluation and result.trial = 0
join response_level on response_level.response = result.response
join assumed on assumed.person_id = assessed.person_id and assumed.evaluation = assessed.evaluation
left join paired on paired.person_id = assessed.person_id and paired.evaluation = assessed.evaluation
left join certain on certain.person_id = assessed.person_id and certain.evaluation = assessed.evaluation
left join extramedullary_finding as finding
    on finding.person_id = assessed.person_id and finding.evaluation = assessed.evaluation
left join transfusion
    on transfusion.person_id = assessed.person_id and transfusion.evaluation = assessed.evaluation
left join baseline
    on baseline.person_id = assessed.person_id and baseline.codelist = setting.assessment_codelist
