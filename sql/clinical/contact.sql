-- One row per contact of a person with a hospital: a whole date in a record that counts. Orders and statements are none.

select person_id, 'visit' as kind, date_on(started) as starts_on, date_on(ended) as ends_on,
    site, resource_type, resource_id, resource_version, file, line, resource_key
from visit
where is_counted and person_id is not null and (date_on(started) is not null or date_on(ended) is not null)
union
select person_id, 'drug_exposure' as kind, exposed_on as starts_on, null::date as ends_on,
    site, resource_type, resource_id, resource_version, file, line, resource_key
from drug_exposure
where is_counted and evidence_level in ('administered', 'dispensed') and person_id is not null and (exposed_on is not null or null::date is not null)
union
select person_id, 'measurement' as kind, measured_on as starts_on, null::date as ends_on,
    site, resource_type, resource_id, resource_version, file, line, resource_key
from measurement
where is_counted and person_id is not null and (measured_on is not null or null::date is not null)
union
select person_id, 'procedure' as kind, performed_on as starts_on, null::date as ends_on,
    site, resource_type, resource_id, resource_version, file, line, resource_key
from procedure
where is_counted and person_id is not null and (performed_on is not null or null::date is not null)
union
select person_id, 'adverse_event' as kind, onset_on as starts_on, null::date as ends_on,
    site, resource_type, resource_id, resource_version, file, line, resource_key
from adverse_event
where is_counted and person_id is not null and (onset_on is not null or null::date is not null)
union
select person_id, 'diagnosis' as kind, recorded_on as starts_on, null::date as ends_on,
    site, resource_type, resource_id, resource_version, file, line, resource_key
from diagnosis
where verification_status is distinct from 'entered-in-error' and person_id is not null and (recorded_on is not null or null::date is not null)
