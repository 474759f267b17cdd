-- One row per assessment, rating and resource behind it: the evaluation, what was paired with it, the investigator's item.

with behind as (
    select person_id, evaluation, source
    from assessment_value
    where source is not null
    union all
    select person_id, evaluation, baseline_source
    from assessment
    where baseline_source is not null
)

select
    assessment.person_id,
    'derived' as rating,
    assessment.evaluation,
    assessment.assessed_on,
    assessment.response,
    behind.source
from assessment
join behind on behind.person_id = assessment.person_id and behind.evaluation = assessment.evaluation
union all
select person_id, 'investigator', null, assessed_on, response, source
from investigator_assessment
