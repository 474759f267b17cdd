-- view
-- One row per counted value of a codelist and treated person, at or before the cut-off, with its day and interval.

select
    measurement.person_id,
    measurement.site,
    measurement.codelist,
    imputed_day(
        measurement.measured_first, measurement.measured_last,
        setting.impute, treated.birth_first, treated.last_possible_day, treated.data_cutoff
    ) as measured_on,
    measurement.measured_at,
    measurement.measured_first < measurement.measured_last as is_imputed,
    measurement.value,
    measurement.comparator,
    -- An open side of an interval is infinite.
    case when measurement.comparator is null then measurement.value
        else coalesce(measurement.value_low, '-infinity'::double) end as low,
    case when measurement.comparator is null then measurement.value
        else coalesce(measurement.value_high, 'infinity'::double) end as high,
    measurement.comparator is null or coalesce(measurement.low_inclusive, false) as has_low,
    measurement.comparator is null or coalesce(measurement.high_inclusive, false) as has_high,
    measurement.value_boolean as truth,
    measurement.value_codes,
    measurement.reference_low,
    measurement.reference_high,
    measurement.resource_key
from measurement
cross join setting
join treated on treated.person_id = measurement.person_id
where measurement.study = setting.study
    and measurement.is_counted
    and not coalesce(measurement.has_unit_problem, false)
    and measurement.measured_first <= treated.data_cutoff
    and (
        measurement.value is not null
        or measurement.value_boolean is not null
        or len(measurement.value_codes) > 0
    )
