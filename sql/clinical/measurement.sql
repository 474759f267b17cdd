-- One row per observed element and codelist that it falls on; one with an empty codelist where it falls on none.
-- Values are in the codelist's unit: the double nearest to the exact decimal, so that one at a threshold stays at it.

with coded as (
    select distinct
        observation.site, observation.resource_key, observation.component,
        code.study, code.codelist, code.concept
    from current.observation
    join current.code as code
        on code.site = observation.site
        and code.system = observation.code_system
        and code.code = observation.code_code
),

value_code as (
    select site, resource_key, component, value_system as system, value_code as code
    from current.observation
    where value_code is not null
    union
    select observation.site, observation.resource_key, observation.component, map.target_system, map.target_code
    from current.observation
    join current.concept_map as map
        on map.site = observation.site
        and map.source_system = observation.value_system
        and map.source_code = observation.value_code
),

value_codes as (
    select site, resource_key, component, list_sort(list(struct_pack(system := system, code := code))) as codes
    from value_code
    group by site, resource_key, component
),

-- What a site writes as a unit and the codelist's unit give a conversion; a number without a unit needs none.
converted as (
    select
        element.*,
        coded.study,
        coded.codelist,
        coded.concept,
        wanted.unit,
        wanted.unit is not null and element.is_quantity
            and coalesce(element.value_unit_code, element.value_unit, '') <> '' as has_unit,
        conversion.factor is not null as is_convertible,
        converted(element.number_text, conversion.shift, conversion.factor) as converted_value,
        converted(element.low_value::varchar, low_conversion.shift, low_conversion.factor) as converted_low,
        converted(element.high_value::varchar, high_conversion.shift, high_conversion.factor) as converted_high
    from observed_element as element
    left join coded
        on coded.site = element.site
        and coded.resource_key = element.resource_key
        and coded.component = element.component
    left join measurement_unit as wanted on wanted.study = coded.study and wanted.codelist = coded.codelist
    left join unit_conversion as conversion
        on conversion.unit = wanted.unit
        and conversion.molar_mass is not distinct from wanted.molar_mass
        and conversion.source_code = coalesce(element.value_unit_code, '')
        and conversion.source_unit = coalesce(element.value_unit, '')
    left join unit_conversion as low_conversion
        on low_conversion.unit = wanted.unit
        and low_conversion.molar_mass is not distinct from wanted.molar_mass
        and low_conversion.source_code = coalesce(element.low_unit_code, element.value_unit_code, '')
        and low_conversion.source_unit = coalesce(element.low_unit, element.value_unit, '')
    left join unit_conversion as high_conversion
        on high_conversion.unit = wanted.unit
        and high_conversion.molar_mass is not distinct from wanted.molar_mass
        and high_conversion.source_code = coalesce(element.high_unit_code, element.value_unit_code, '')
        and high_conversion.source_unit = coalesce(element.high_unit, element.value_unit, '')
),

valued as (
    select
        *,
        case
            when unit is null or not has_unit then try_cast(number_text as double)
            when is_convertible then converted_value
        end as value
    from converted
)

select
    valued.study,
    valued.codelist,
    valued.concept,
    valued.component,
    patient_alias.person_id,
    valued.measured as measured_text,
    date_on(valued.measured) as measured_on,
    instant_at(valued.measured) as measured_at,
    date_precision(valued.measured) as measured_precision,
    date_first(valued.measured) as measured_first,
    date_last(valued.measured) as measured_last,
    valued.value,
    valued.comparator,
    case when valued.comparator is null or valued.comparator in ('>', '>=') then valued.value end as value_low,
    case when valued.comparator is null or valued.comparator in ('<', '<=') then valued.value end as value_high,
    valued.comparator is null or valued.comparator = '>=' as low_inclusive,
    valued.comparator is null or valued.comparator = '<=' as high_inclusive,
    valued.unit,
    valued.number_text as source_value,
    coalesce(valued.value_unit_code, valued.value_unit) as source_unit,
    valued.has_unit and not valued.is_convertible as has_unit_problem,
    valued.status,
    coalesce(valued.status not in ('entered-in-error', 'cancelled'), true) as is_counted,
    valued.value_boolean,
    coalesce(value_codes.codes, []) as value_codes,
    valued.converted_low as reference_low,
    valued.converted_high as reference_high,
    valued.site,
    valued.resource_type,
    valued.resource_id,
    valued.resource_version,
    valued.file,
    valued.line,
    valued.resource_key
from valued
left join value_codes
    on value_codes.site = valued.site
    and value_codes.resource_key = valued.resource_key
    and value_codes.component = valued.component
left join patient_alias on patient_alias.site = valued.site and patient_alias.patient_key = valued.patient_key
