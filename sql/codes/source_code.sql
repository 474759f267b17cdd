-- One row per study, site, element of a kind of resource and code there: how often it is used, whatever it falls on.

with drug_name (site, system, code, display) as (
    select site, code_system, code_code, code_display from current.medication
    union all
    select site, concept_system, concept_code, concept_display from current.medication
    union all
    select site, code_system, code_code, code_display from clinical.drug_record
    union all
    select site, concept_system, concept_code, concept_display from clinical.drug_record
),

drug_display as (
    select 'drug' as source, site, coalesce(system, '') as system, code, min(display) as display
    from drug_name
    where display is not null
    group by all
),

-- A record on no list is there once; only the few on lists may be there again.
drug as (
    select site, resource_key, resource_type, person_id, exposed_text
    from clinical.drug_exposure
    where study is null
    union all
    select distinct site, resource_key, resource_type, person_id, exposed_text
    from clinical.drug_exposure
    where study is not null
),

record as (
    select
        'observation' as source, site, resource_type, resource_key, patient_key,
        code_system as system, code_code as code, code_display as display,
        coalesce(effective_datetime, effective_period_start, effective_instant, effective_period_end) as written,
        value_number is not null or value_integer is not null or value_string is not null as is_number,
        value_boolean is not null as is_boolean,
        value_code is not null as is_coded
    from current.observation
    union all by name
    -- Only values that fall on a codelist: the others are no codes of what was observed.
    select
        'observation value' as source, observation.site, observation.resource_type, observation.resource_key,
        observation.patient_key, observation.value_system as system, observation.value_code as code,
        coalesce(
            observation.effective_datetime, observation.effective_period_start, observation.effective_instant,
            observation.effective_period_end
        ) as written
    from current.observation as observation
    semi join current.code as code
        on code.site = observation.site
        and code.system = observation.value_system
        and code.code = observation.value_code
    union all by name
    select
        'diagnosis' as source, site, resource_type, resource_key, patient_key,
        code_system as system, code_code as code, code_display as display,
        coalesce(onset_datetime, onset_period_start, recorded_date) as written
    from current.condition
    union all by name
    select
        'procedure' as source, site, resource_type, resource_key, patient_key,
        code_system as system, code_code as code, code_display as display,
        coalesce(
            performed_datetime, performed_period_start, occurrence_datetime, occurrence_period_start
        ) as written
    from current.procedure
    union all by name
    select
        'route' as source, site, resource_type, resource_key, patient_key,
        route_system as system, route_code as code, exposed_text as written
    from clinical.drug_record
    where exists (from codelist_source where source = 'route')
    union all by name
    select
        'discharge' as source, site, resource_type, resource_key, patient_key,
        coalesce(discharge_system, admission_discharge_system) as system,
        coalesce(discharge_code, admission_discharge_code) as code,
        coalesce(period_end, period_start, actual_period_end, actual_period_start) as written
    from current.encounter
),

-- A resource counts once, however many of its values or elements carry the code.
of_resource as (
    select
        source,
        site,
        resource_type,
        system,
        code,
        resource_key,
        patient_key,
        min(display) as display,
        min(placed(written, site)) as first_written,
        max(placed(written, site)) as last_written,
        coalesce(bool_or(is_number), false) as is_number,
        coalesce(bool_or(is_boolean), false) as is_boolean,
        coalesce(bool_or(is_coded), false) as is_coded
    from record
    where code is not null
    group by all
),

used as (
    select of_resource.* exclude (resource_key, patient_key), alias.person_id
    from of_resource
    left join clinical.patient_alias as alias
        on alias.site = of_resource.site and alias.patient_key = of_resource.patient_key
    union all by name
    -- Codes of drugs, which most resources are, are there once a resource.
    select
        'drug' as source, drug.site, drug.resource_type, coding.system, coding.code, drug.person_id,
        placed(drug.exposed_text, drug.site) as first_written,
        placed(drug.exposed_text, drug.site) as last_written
    from clinical.drug_coding as coding
    join drug on drug.site = coding.site and drug.resource_key = coding.resource_key
),

by_person as materialized (
    select
        source,
        site,
        resource_type,
        coalesce(system, '') as system,
        code,
        person_id,
        min(display) as display,
        count(*) as resources,
        -- As far as the day: texts of another precision don't sort as dates.
        min(left(first_written, 10)) as first_written,
        max(left(last_written, 10)) as last_written,
        count(*) filter (is_number) as numbers,
        count(*) filter (is_boolean) as booleans,
        count(*) filter (is_coded) as coded_values
    from used
    group by all
),

counted as (
    select
        source, site, resource_type, system, code,
        min(display) as display,
        sum(resources)::bigint as resources,
        count(distinct person_id) as persons,
        date_first(min(first_written)) as first_on,
        date_last(max(last_written)) as last_on,
        sum(numbers)::bigint as numbers,
        sum(booleans)::bigint as booleans,
        sum(coded_values)::bigint as coded_values
    from by_person
    group by all
),

treated as (
    select
        treated.study, by_person.source, by_person.site, by_person.resource_type, by_person.system, by_person.code,
        count(*) as treated_persons
    from by_person
    join treated_person as treated using (person_id)
    group by all
)

select
    study.study,
    counted.site,
    counted.source,
    counted.resource_type,
    counted.system,
    counted.code,
    coalesce(counted.display, drug_display.display) as display,
    counted.resources,
    counted.persons,
    coalesce(treated.treated_persons, 0) as treated_persons,
    counted.first_on,
    counted.last_on,
    counted.numbers,
    counted.booleans,
    counted.coded_values
from counted
cross join (select distinct study from clinical.codelist) as study
left join treated
    on treated.study = study.study
    and treated.source = counted.source
    and treated.site = counted.site
    and treated.resource_type = counted.resource_type
    and treated.system = counted.system
    and treated.code = counted.code
left join drug_display
    on drug_display.source = counted.source
    and drug_display.site = counted.site
    and drug_display.system = counted.system
    and drug_display.code = counted.code
