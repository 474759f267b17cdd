-- One row per site, study, codelist and unit as written (code and text) that doesn't convert to the codelist's: its values
-- are kept as written and not used.

with written as (
    select
        observed_code.study,
        observed_code.codelist,
        element.site,
        element.unit_code as source_code,
        element.unit_text as source_unit,
        wanted.unit,
        wanted.molar_mass,
        count(*) as measurements,
        count(distinct alias.person_id) as persons
    from current.observed_element as element
    join (
        select distinct site, resource_key, component, study, codelist from current.observed_code
    ) as observed_code using (site, resource_key, component)
    join clinical.measurement_unit as wanted using (study, codelist)
    left join clinical.patient_alias as alias
        on alias.site = element.site and alias.patient_key = element.patient_key
    where element.number_text is not null and element.unit_code || element.unit_text <> ''
    group by all
)

select
    written.site,
    written.study,
    written.codelist,
    written.source_code,
    written.source_unit,
    written.unit,
    written.measurements,
    written.persons
from written
join clinical.unit_conversion as conversion
    on conversion.source_code = written.source_code
    and conversion.source_unit = written.source_unit
    and conversion.unit = written.unit
    and conversion.molar_mass is not distinct from written.molar_mass
where conversion.factor is null
