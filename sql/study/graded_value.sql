-- One row per laboratory value in the period, or baseline value, of a graded test, with its grade; null where undecided.

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
),

value as (
    select
        period.person_id,
        period.site,
        period.period,
        period.measured_on,
        period.measured_at,
        test.term,
        test.measurement,
        period.value,
        period.low,
        period.high,
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
        period.source
    from period
    join laboratory_test as test on test.measurement = period.codelist
    left join baseline
        on baseline.person_id = period.person_id
        and baseline.codelist = period.codelist
        and baseline.comparator is null
        -- A baseline value itself is graded by the limits of normal.
        and period.period = 'after'
    where period.value is not null
),

bounded as (
    select
        value.*,
        rule.grade,
        rule.low_inclusive,
        rule.high_inclusive,
        rule.low_basis is not null as has_lower_bound,
        rule.high_basis is not null as has_upper_bound,
        -- To nine decimals, so that a value at a threshold stays at it.
        round(rule.low * case rule.low_basis
            when 'value' then 1
            when 'lower_limit' then lower_limit
            when 'upper_limit' then upper_limit
            when 'baseline' then baseline_value
        end, 9) as lower_bound,
        round(rule.high * case rule.high_basis
            when 'value' then 1
            when 'lower_limit' then lower_limit
            when 'upper_limit' then upper_limit
            when 'baseline' then baseline_value
        end, 9) as upper_bound,
        ('lower_limit' in (rule.low_basis, rule.high_basis) and lower_limit is null)
            or ('upper_limit' in (rule.low_basis, rule.high_basis) and upper_limit is null) as lacks_limit
    from value
    join ctcae as rule
        on rule.term = value.term
        and (
            rule.baseline = 'any'
            or rule.baseline = value.baseline_state
            or (rule.baseline = 'below_lower_limit' and value.is_baseline_low)
        )
),

held as (
    select
        *,
        case
            when lacks_limit then null
            -- A row that needs a baseline that isn't known doesn't hold.
            when (has_lower_bound and lower_bound is null) or (has_upper_bound and upper_bound is null) then false
            else all_bounds
        end as holds
    from (
        select
            *,
            case
                when not above then false
                when not beneath then false
                when above and beneath then true
            end as all_bounds
        from (
            select
                *,
                case
                    when not has_lower_bound then true
                    when low_inclusive then is_at_least(round(low, 9), round(high, 9), has_low, has_high, lower_bound)
                    else is_above(round(low, 9), round(high, 9), has_low, has_high, lower_bound)
                end as above,
                case
                    when not has_upper_bound then true
                    when high_inclusive then is_at_most(round(low, 9), round(high, 9), has_low, has_high, upper_bound)
                    else is_below(round(low, 9), round(high, 9), has_low, has_high, upper_bound)
                end as beneath
            from bounded
        )
    )
),

graded as (
    select
        person_id, site, period, measured_on, measured_at, term, measurement, value, source,
        coalesce(max(grade) filter (where holds), 0) as certain_grade,
        max(grade) filter (where holds is null) as possible_grade
    from held
    group by all
)

select
    * exclude (certain_grade, possible_grade),
    case when possible_grade > certain_grade then null else certain_grade end::integer as grade
from graded
