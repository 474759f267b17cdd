-- One row per response that the investigator recorded after the index date.

select
    item.person_id,
    item.site,
    item.measured_on as assessed_on,
    recorded.response,
    item.resource_key
from observed_value as item
cross join setting
join treated on treated.person_id = item.person_id
cross join lateral (select unnest(item.value_codes) as coding)
join recorded_response as recorded on recorded.code = coding.code and coding.system = 'urn:cove:response'
where item.codelist = setting.investigator_codelist and item.measured_on > treated.index_date
