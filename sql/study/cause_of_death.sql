-- One row per code of the recorded cause of a treated person's death.

select item.person_id, coding.system, coding.code, item.resource_key
from observed_value as item
cross join setting
cross join lateral (select unnest(item.value_codes) as coding)
where item.codelist = setting.death_cause_codelist
