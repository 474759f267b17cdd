-- One row per treated person and graded test with a gradable value after baseline: the worst grade, and the baseline's.

with worst as (
    select *
    from graded_value
    where period = 'after' and grade is not null
    qualify row_number() over (
        partition by person_id, term
        order by grade desc, measured_on, measured_at nulls first, resource_key, number
    ) = 1
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
    unnest(value.source)
from worst
join gradable_value as value on value.number = worst.number
left join graded_value as at_baseline
    on at_baseline.person_id = worst.person_id
    and at_baseline.term = worst.term
    and at_baseline.period = 'baseline'
