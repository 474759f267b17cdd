-- One row per treated person and graded test with a gradable value after baseline: the worst grade, and the baseline's.

with graded as materialized (
    select
        value.person_id,
        test.position,
        value.period = 'baseline' as is_baseline,
        value.grade,
        value.value,
        value.measured_on,
        value.measured_at,
        value.resource_key
    from graded_value as value
    join laboratory_test as test on test.term = value.term
    where value.grade is not null
),

-- First the grade alone: there are many values, and few of the worst grade.
top as (
    select person_id, position, max(grade) as grade
    from graded
    where not is_baseline
    group by person_id, position
),

worst as (
    select graded.*
    from graded
    join top
        on top.person_id = graded.person_id and top.position = graded.position and top.grade = graded.grade
    where not graded.is_baseline
    qualify row_number() over (
        partition by graded.person_id, graded.position
        order by graded.measured_on, graded.measured_at nulls first, graded.resource_key, graded.value
    ) = 1
)

select
    worst.person_id,
    treated.site,
    test.term,
    test.measurement,
    worst.grade as worst_grade,
    at_baseline.grade as baseline_grade,
    worst.value,
    worst.measured_on,
    worst.resource_key
from worst
join laboratory_test as test on test.position = worst.position
join treated on treated.person_id = worst.person_id
left join graded as at_baseline
    on at_baseline.person_id = worst.person_id
    and at_baseline.position = worst.position
    and at_baseline.is_baseline
