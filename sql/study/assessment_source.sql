-- One row per assessment, rating and resource behind it: the evaluation, what was paired with it, the investigator's item.

with found as (
    select
        person_id,
        'derived' as rating,
        evaluation,
        assessed_on,
        response,
        source_of(assessment) as assessment_source,
        unnest([
            source_of(assessment),
            anc_source,
            platelets_source,
            blood_blasts_source,
            extramedullary_source,
            transfusion_source,
            baseline_source
        ]) as source
    from assessment
    union all
    select person_id, 'investigator', null, assessed_on, response, source, source
    from investigator_assessment
)

select found.person_id, found.rating, found.evaluation, found.assessed_on, found.response, found.source
from found
cross join setting
where found.source is not null
