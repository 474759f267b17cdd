-- One row per contact of a person with a hospital: a whole date in a record that counts. Orders and statements are none.

-- A record stands in its table once for each codelist; it is one contact.
with dated as (
    select
        person_id,
        'visit' as kind,
        date_on(placed(started, site)) as starts_on,
        date_on(placed(ended, site)) as ends_on,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from visit
    where is_counted
    union
    select
        person_id,
        'drug_exposure' as kind,
        exposed_on as starts_on,
        null::date as ends_on,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from drug_exposure
    where is_counted and evidence_level in ('administered', 'dispensed')
    union
    select
        person_id,
        'measurement' as kind,
        measured_on as starts_on,
        null as ends_on,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from measurement
    where is_counted
    union
    select
        person_id,
        'procedure' as kind,
        performed_on as starts_on,
        null as ends_on,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from procedure
    where is_counted
    union
    select
        person_id,
        'adverse_event' as kind,
        onset_on as starts_on,
        null as ends_on,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from adverse_event
    where is_counted
    union
    select
        person_id,
        'diagnosis' as kind,
        recorded_on as starts_on,
        null as ends_on,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from diagnosis
    where not list_contains(verification_statuses, 'entered-in-error')
)

select *
from dated
where person_id is not null and (starts_on is not null or ends_on is not null)
