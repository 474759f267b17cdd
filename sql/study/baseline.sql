-- One row per treated person and codelist: the last value at or before the first dose.

with before as (
    select observed_value.*
    from observed_value
    join treated on treated.person_id = observed_value.person_id
    where measured_on < index_date
        or (
            -- On the same day only a value timed before the dose, or where neither has a time.
            measured_on = index_date
            and (measured_at < index_at or (measured_at is null and index_at is null))
        )
)

select *
from before
-- At one time the higher value counts, then the later id.
qualify row_number() over (
    partition by person_id, codelist
    order by
        measured_on desc,
        measured_at desc nulls last,
        value desc nulls last,
        truth desc nulls last,
        resource_key desc
) = 1
