-- One row per code of the recorded cause of a treated person's death.

select item.person_id, coding.system, coding.code, item.source
from observed_value as item
cross join setting
cross join lateral (select unnest(item.value_codes) as coding)
where item.codelist = setting.death_cause_codelist
union
select record.person_id, coding.system, coding.code, source_of(record)
from death_record as record
cross join setting
join treated on treated.person_id = record.person_id
cross join lateral (select unnest(record.cause_codes) as coding)
where setting.death_cause_codelist is not null and (record.study is null or record.study = setting.study)
