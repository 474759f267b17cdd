-- One row per treated person and graded test with a gradable value after baseline: the worst grade, and the baseline's.

with graded as materialized (
    select *
    from graded_value
    where grade is not null
),

-- First the grade alone: there are many values, and few of the worst grade.
top as (
    select person_id, term, max(grade) as grade
    from graded
    where period = 'after'
    group by person_id, term
),

worst as (
    select graded.*
    from graded
    join top on top.person_id = graded.person_id and top.term = graded.term and top.grade = graded.grade
    where graded.period = 'after'
    qualify row_number() over (
        partition by graded.person_id, graded.term
        order by graded.measured_on, graded.measured_at nulls first, graded.resource_key, graded.value
    ) = 1
)

select
    worst.person_id,
    worst.site,
    worst.term,
    worst.measurement,
    worst.grade as worst_grade,
    at_baseline.grade as baseline_grade,
    worst.value,
    worst.measured_on,
    worst.resource_key
from worst
left join graded as at_baseline
    on at_baseline.person_id = worst.person_id
    and at_baseline.term = worst.term
    and at_baseline.period = 'baseline'
