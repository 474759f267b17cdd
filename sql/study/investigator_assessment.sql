-- One row per response that the investigator recorded after the index date.

with item as (
    select
        observed_value.person_id,
        observed_value.site,
        observed_value.measured_on,
        observed_value.resource_key,
        unnest(observed_value.value_codes) as coding
    from observed_value
    cross join setting
    where observed_value.codelist = setting.investigator_codelist
)

select
    item.person_id,
    item.site,
    item.measured_on as assessed_on,
    recorded.response,
    item.resource_key
from item
join treated on treated.person_id = item.person_id
join recorded_response as recorded on recorded.code = item.coding.code and item.coding.system = 'urn:cove:response'
where item.measured_on > treated.index_date
