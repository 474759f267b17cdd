-- One row per assessment that has an item on extramedullary disease at or before its day: the last one.

select assessed.person_id, assessed.evaluation, item.measured_on, item.truth, item.source
from assessed
cross join setting
join observed_value as item
    on item.person_id = assessed.person_id
    and item.codelist = setting.extramedullary_codelist
    and item.measured_on <= assessed.measured_on
where item.truth is not null
qualify row_number() over (
    partition by assessed.person_id, assessed.evaluation
    order by item.measured_on desc, item.measured_at desc nulls last, item.truth desc, item.source.resource_id desc
) = 1
