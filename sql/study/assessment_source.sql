-- view
-- One row per assessment, rating and resource behind it: the evaluation, what was paired with it, the investigator's item.

with behind as (
    select person_id, evaluation, resource_key
    from assessment_value
    where resource_key is not null
    union all
    select person_id, evaluation, baseline_resource_key
    from assessment
    where baseline_resource_key is not null
)

select
    assessment.person_id,
    'derived' as rating,
    assessment.evaluation,
    assessment.assessed_on,
    assessment.response,
    behind.resource_key
from assessment
join behind on behind.person_id = assessment.person_id and behind.evaluation = assessment.evaluation
union all
select person_id, 'investigator', null, assessed_on, response, resource_key
from investigator_assessment
