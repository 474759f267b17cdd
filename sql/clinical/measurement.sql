-- One row per observed element and codelist that it falls on; one with an empty codelist where it falls on none.
-- Values are in the codelist's unit: the double nearest to the exact decimal, so that one at a threshold stays at it.

with value_code as (
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

coded as (
    select
        element.*,
        observed_code.study,
        observed_code.codelist,
        observed_code.concept,
        wanted.unit,
        wanted.molar_mass,
        wanted.unit is not null and element.number_text is not null and element.unit_code || element.unit_text <> ''
            as has_unit
    from current.observed_element as element
    left join current.observed_code as observed_code
        on observed_code.site = element.site
        and observed_code.resource_key = element.resource_key
        and observed_code.component = element.component
    left join measurement_unit as wanted
        on wanted.study = observed_code.study
        and wanted.codelist = observed_code.codelist
),

valued as (
    select
        coded.*,
        case
            -- A number without a unit, or as text, is in the codelist's.
            when not coded.has_unit then try_cast(coded.number_text as double)
            when conversion.shift is not null then shifted(coded.number_text, conversion.shift)
            else product.value
        end as value,
        conversion.factor is not null as is_convertible
    from coded
    left join unit_conversion as conversion
        on conversion.source_code = coded.unit_code
        and conversion.source_unit = coded.unit_text
        and conversion.unit = coded.unit
        and conversion.molar_mass is not distinct from coded.molar_mass
    left join converted_number as product
        on product.factor = conversion.factor
        and product.number_text = coded.number_text
),

limited as (
    select
        valued.*,
        case when low.shift is not null then shifted(valued.low_text, low.shift) else low_product.value end
            as reference_low,
        case when high.shift is not null then shifted(valued.high_text, high.shift) else high_product.value end
            as reference_high
    from valued
    left join unit_conversion as low
        on low.source_code = valued.low_unit_code
        and low.source_unit = valued.low_unit_text
        and low.unit = valued.unit
        and low.molar_mass is not distinct from valued.molar_mass
    left join converted_number as low_product
        on low_product.factor = low.factor
        and low_product.number_text = valued.low_text
    left join unit_conversion as high
        on high.source_code = valued.high_unit_code
        and high.source_unit = valued.high_unit_text
        and high.unit = valued.unit
        and high.molar_mass is not distinct from valued.molar_mass
    left join converted_number as high_product
        on high_product.factor = high.factor
        and high_product.number_text = valued.high_text
)

select
    limited.study,
    limited.codelist,
    limited.concept,
    limited.component,
    patient_alias.person_id,
    limited.measured as measured_text,
    date_on(placed(limited.measured, limited.site)) as measured_on,
    instant_at(placed(limited.measured, limited.site)) as measured_at,
    date_precision(placed(limited.measured, limited.site)) as measured_precision,
    date_first(placed(limited.measured, limited.site)) as measured_first,
    date_last(placed(limited.measured, limited.site)) as measured_last,
    limited.value,
    limited.comparator,
    case when limited.comparator is null or limited.comparator in ('>', '>=') then limited.value end as value_low,
    case when limited.comparator is null or limited.comparator in ('<', '<=') then limited.value end as value_high,
    limited.comparator is null or limited.comparator = '>=' as low_inclusive,
    limited.comparator is null or limited.comparator = '<=' as high_inclusive,
    limited.unit,
    limited.number_text as source_value,
    coalesce(nullif(limited.unit_code, ''), nullif(limited.unit_text, '')) as source_unit,
    limited.has_unit and not limited.is_convertible as has_unit_problem,
    limited.status,
    coalesce(limited.status not in ('entered-in-error', 'cancelled'), true) as is_counted,
    limited.value_boolean,
    limited.is_absent,
    coalesce(value_codes.codes, []) as value_codes,
    limited.reference_low,
    limited.reference_high,
    limited.site,
    limited.resource_type,
    limited.resource_id,
    limited.resource_version,
    limited.file,
    limited.line,
    limited.resource_key
from limited
left join value_codes
    on value_codes.site = limited.site
    and value_codes.resource_key = limited.resource_key
    and value_codes.component = limited.component
left join patient_alias on patient_alias.site = limited.site and patient_alias.patient_key = limited.patient_key
