-- One row per current Condition and codelist that it falls on; one with an empty codelist where it falls on none.

with record as (
    select
        site,
        resource_key,
        any_value(columns(* exclude (
            site, resource_key, status_system, status_code, verification_system, verification_code,
            category_system, category_code, code_system, code_code, code_display
        )))
    from current.condition
    group by site, resource_key
),

coded as (
    select distinct condition.site, condition.resource_key, code.study, code.codelist, code.concept
    from current.condition
    join current.code as code
        on code.site = condition.site
        and code.system = condition.code_system
        and code.code = condition.code_code
),

-- A site may have statuses and categories of its own; its ConceptMaps translate them.
status as (
    select
        condition.site,
        condition.resource_key,
        list_sort(list_distinct(list(condition.status_code) || list(map.target_code))) as clinical_statuses
    from current.condition
    left join current.concept_map as map
        on map.site = condition.site
        and map.source_system = condition.status_system
        and map.source_code = condition.status_code
    group by condition.site, condition.resource_key
),

verification as (
    select
        condition.site,
        condition.resource_key,
        list_sort(list_distinct(list(condition.verification_code) || list(map.target_code))) as verification_statuses
    from current.condition
    left join current.concept_map as map
        on map.site = condition.site
        and map.source_system = condition.verification_system
        and map.source_code = condition.verification_code
    group by condition.site, condition.resource_key
),

category as (
    select
        condition.site,
        condition.resource_key,
        list_sort(list_distinct(
            list(condition.category_system || '|' || condition.category_code)
            || list(map.target_system || '|' || map.target_code)
        )) as categories
    from current.condition
    left join current.concept_map as map
        on map.site = condition.site
        and map.source_system = condition.category_system
        and map.source_code = condition.category_code
    group by condition.site, condition.resource_key
)

select
    coded.study,
    coded.codelist,
    coded.concept,
    patient_alias.person_id,
    coalesce(record.onset_datetime, record.onset_period_start) as onset_text,
    date_on(placed(coalesce(record.onset_datetime, record.onset_period_start), record.site)) as onset_on,
    instant_at(placed(coalesce(record.onset_datetime, record.onset_period_start), record.site)) as onset_at,
    date_precision(placed(coalesce(record.onset_datetime, record.onset_period_start), record.site)) as onset_precision,
    date_first(placed(coalesce(record.onset_datetime, record.onset_period_start), record.site)) as onset_first,
    date_last(placed(coalesce(record.onset_datetime, record.onset_period_start), record.site)) as onset_last,
    record.recorded_date as recorded_text,
    date_on(placed(record.recorded_date, record.site)) as recorded_on,
    instant_at(placed(record.recorded_date, record.site)) as recorded_at,
    date_precision(placed(record.recorded_date, record.site)) as recorded_precision,
    date_first(placed(record.recorded_date, record.site)) as recorded_first,
    date_last(placed(record.recorded_date, record.site)) as recorded_last,
    coalesce(record.abatement_datetime, record.abatement_period_end) as abatement_text,
    date_on(placed(coalesce(record.abatement_datetime, record.abatement_period_end), record.site)) as abatement_on,
    instant_at(placed(coalesce(record.abatement_datetime, record.abatement_period_end), record.site)) as abatement_at,
    date_precision(placed(coalesce(record.abatement_datetime, record.abatement_period_end), record.site)) as abatement_precision,
    date_first(placed(coalesce(record.abatement_datetime, record.abatement_period_end), record.site)) as abatement_first,
    date_last(placed(coalesce(record.abatement_datetime, record.abatement_period_end), record.site)) as abatement_last,
    verification.verification_statuses,
    not list_has_any(verification.verification_statuses, ['refuted', 'entered-in-error']) as is_counted,
    status.clinical_statuses,
    category.categories,
    -- Free text stays in landing, but for an adverse event's term.
    case
        when list_contains(category.categories, 'urn:cove:condition-category|adverse-event') then record.code_text
    end as code_text,
    record.severity_code,
    record.site,
    record.resource_type,
    record.resource_id,
    record.resource_version,
    record.file,
    record.line,
    record.resource_key
from record
join status on status.site = record.site and status.resource_key = record.resource_key
join verification on verification.site = record.site and verification.resource_key = record.resource_key
join category on category.site = record.site and category.resource_key = record.resource_key
left join coded on coded.site = record.site and coded.resource_key = record.resource_key
left join patient_alias on patient_alias.site = record.site and patient_alias.patient_key = record.patient_key
