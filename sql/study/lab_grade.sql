-- One row per treated person and graded test with a gradable value after baseline: the worst grade, and the baseline's.

with worst as (
    select *
    from graded_value
    where period = 'after' and grade is not null
    qualify row_number() over (
        partition by person_id, term
        order by grade desc, measured_on, measured_at nulls first, resource_key, number
    ) = 1
),

-- The source of a value is that of its resource, whichever of its components was graded.
source_of_worst as (
    select
        observed_value.person_id,
        observed_value.source.resource_key as resource_key,
        any_value(observed_value.source) as source
    from observed_value
    where (observed_value.person_id, observed_value.source.resource_key) in (select person_id, resource_key from worst)
    group by all
)

select
    worst.person_id,
    value.site,
    worst.term,
    value.measurement,
    worst.grade as worst_grade,
    at_baseline.grade as baseline_grade,
    value.value,
    worst.measured_on,
    unnest(behind.source)
from worst
join gradable_value as value on value.number = worst.number
join source_of_worst as behind
    on behind.person_id = worst.person_id and behind.resource_key = worst.resource_key
left join graded_value as at_baseline
    on at_baseline.person_id = worst.person_id
    and at_baseline.term = worst.term
    and at_baseline.period = 'baseline'
