-- One row per record of a drug and codelist's drug that it holds; one with an empty codelist where it holds none.
-- A product with several listed ingredients is a dose of each.

with record as (
    select
        site,
        resource_key,
        any_value(columns(* exclude (
            site, resource_key, code_system, code_code, code_display, concept_system, concept_code, concept_display,
            route_system, route_code
        )))
    from drug_record
    group by site, resource_key
),

coded as (
    select distinct coding.site, coding.resource_key, code.study, code.codelist, code.concept
    from drug_coding as coding
    join current.code as code on code.site = coding.site and code.system = coding.system and code.code = coding.code
),

route as (
    select
        drug_record.site,
        drug_record.resource_key,
        list_sort(list_distinct(
            list(drug_record.route_system || '|' || drug_record.route_code)
            || list(map.target_system || '|' || map.target_code)
        )) as routes
    from drug_record
    left join current.concept_map as map
        on map.site = drug_record.site
        and map.source_system = drug_record.route_system
        and map.source_code = drug_record.route_code
    where drug_record.route_code is not null
    group by drug_record.site, drug_record.resource_key
)

select
    coded.study,
    coded.codelist,
    coded.concept,
    patient_alias.person_id,
    record.evidence_level,
    record.exposed_text as exposed_text,
    date_on(placed(record.exposed_text, record.site)) as exposed_on,
    instant_at(placed(record.exposed_text, record.site)) as exposed_at,
    date_precision(placed(record.exposed_text, record.site)) as exposed_precision,
    date_first(placed(record.exposed_text, record.site)) as exposed_first,
    date_last(placed(record.exposed_text, record.site)) as exposed_last,
    record.ended_text as ended_text,
    date_on(placed(record.ended_text, record.site)) as ended_on,
    instant_at(placed(record.ended_text, record.site)) as ended_at,
    date_precision(placed(record.ended_text, record.site)) as ended_precision,
    date_first(placed(record.ended_text, record.site)) as ended_first,
    date_last(placed(record.ended_text, record.site)) as ended_last,
    record.status,
    record.is_counted,
    coalesce(route.routes, []) as routes,
    record.dose_value,
    record.dose_unit,
    record.site,
    record.resource_type,
    record.resource_id,
    record.resource_version,
    record.file,
    record.line,
    record.resource_key
from record
left join coded on coded.site = record.site and coded.resource_key = record.resource_key
left join route on route.site = record.site and route.resource_key = record.resource_key
left join patient_alias on patient_alias.site = record.site and patient_alias.patient_key = record.patient_key
