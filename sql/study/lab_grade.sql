-- One row per treated person and graded test with a gradable value after baseline: the worst grade, and the baseline's.

with graded as (
    select
        person_id,
        position,
        -- The first of the worst; of two at one time the lower id, then the lower value.
        arg_min(
            {'grade': grade, 'value': value, 'measured_on': measured_on, 'resource_key': resource_key},
            create_sort_key(
                grade, 'desc nulls last',
                measured_on, 'asc nulls last',
                measured_at, 'asc nulls first',
                resource_key, 'asc nulls last',
                value, 'asc nulls last'
            )
        ) filter (where period = 'after') as worst,
        max(grade) filter (where period = 'baseline') as baseline_grade
    from graded_value
    where grade is not null
    group by person_id, position
)

select
    graded.person_id,
    treated.site,
    test.term,
    test.measurement,
    graded.worst.grade as worst_grade,
    graded.baseline_grade,
    graded.worst.value,
    graded.worst.measured_on,
    graded.worst.resource_key
from graded
join laboratory_test as test on test.position = graded.position
join treated on treated.person_id = graded.person_id
where graded.worst is not null
