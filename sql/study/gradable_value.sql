-- One row per graded test and laboratory value of its codelist, in the period or at baseline, with the limits it needs.

with period as (
    select
        'after' as period,
        observed_value.*
    from observed_value
    cross join setting
    join treated on treated.person_id = observed_value.person_id
    where measured_on > treated.index_date
        and measured_on <= treated.last_dose_on + setting.laboratory_days_after_last_dose
    union all
    select 'baseline', baseline.*
    from baseline
)

select
    row_number() over () as number,
    period.person_id,
    period.site,
    period.period,
    period.measured_on,
    period.measured_at,
    test.term,
    test.measurement,
    period.value,
    -- Values and bounds to nine decimals, so that a value at a threshold stays at it.
    round(period.low, 9) as low,
    round(period.high, 9) as high,
    period.has_low,
    period.has_high,
    -- Normal limits are the source's, side by side with the protocol's where it gives none.
    coalesce(period.reference_low, test.lower) as lower_limit,
    coalesce(period.reference_high, test.upper) as upper_limit,
    baseline.value as baseline_value,
    case
        when baseline.value > coalesce(baseline.reference_high, test.upper) then 'abnormal'
        else 'normal'
    end as baseline_state,
    coalesce(baseline.value < coalesce(baseline.reference_low, test.lower), false) as is_baseline_low,
    period.source.resource_key as resource_key
from period
join laboratory_test as test on test.measurement = period.codelist
left join baseline
    -- A baseline value itself is graded by the limits of normal, so that it finds none here.
    on baseline.person_id = case when period.period = 'after' then period.person_id end
    and baseline.codelist = period.codelist
    and baseline.comparator is null
where period.value is not null
