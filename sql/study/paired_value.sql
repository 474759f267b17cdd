-- One row per assessment and paired variable that has a value in the window: the nearest, of two as near the later.

select
    assessed.person_id,
    assessed.evaluation,
    pair_rule.variable,
    found.measured_on,
    found.value,
    found.comparator,
    found.low,
    found.high,
    found.has_low,
    found.has_high,
    found.resource_key
from assessed
cross join setting
cross join pair_rule
join observed_value as found
    on found.person_id = assessed.person_id
    and found.codelist = pair_rule.codelist
    and found.measured_on between assessed.measured_on - setting.pair_days_before
        and assessed.measured_on + setting.pair_days_after
where found.value is not null
qualify row_number() over (
    partition by assessed.person_id, assessed.evaluation, pair_rule.variable
    order by
        abs(found.measured_on - assessed.measured_on),
        found.measured_on desc,
        found.measured_at desc nulls last,
        found.value desc,
        found.resource_key desc
) = 1
