-- One row per evaluation of the measurement that is assessed, of a treated person; of two at one time the higher counts, then the later id.

with at_one_time as (
    select observed_value.*
    from observed_value
    cross join setting
    where codelist = setting.assessment_codelist and value is not null
    qualify row_number() over (
        partition by person_id, measured_on, measured_at
        order by value desc, resource_key desc
    ) = 1
)

select
    *,
    row_number() over (
        partition by person_id
        order by measured_on, measured_at nulls first
    ) as evaluation
from at_one_time
