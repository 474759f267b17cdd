-- view
-- One row per graded test and laboratory value of its codelist, in the period or at baseline, with its grade; null where it
-- can't be decided.

-- The rules of a test for each state that a baseline value can be in. Tests are told by their position, since there are
-- many values, and what is kept of each is short.
with rule as (
    select ctcae.*, test.position, state.baseline_state, low.is_baseline_low
    from ctcae
    join laboratory_test as test on test.term = ctcae.term
    cross join (select unnest(['normal', 'abnormal']) as baseline_state) as state
    cross join (select unnest([true, false]) as is_baseline_low) as low
    where ctcae.baseline in ('any', baseline_state) or (ctcae.baseline = 'below_lower_limit' and is_baseline_low)
),

at_baseline as (
    select
        baseline.person_id,
        test.position,
        baseline.value,
        case
            when baseline.value > coalesce(baseline.reference_high, test.upper) then 'abnormal'
            else 'normal'
        end as state,
        coalesce(baseline.value < coalesce(baseline.reference_low, test.lower), false) as is_low
    from baseline
    join laboratory_test as test on test.measurement = baseline.codelist
    where baseline.comparator is null
),

period as (
    select false as is_baseline, observed_value.*, observed_value.person_id as baseline_of
    from observed_value
    cross join setting
    join treated on treated.person_id = observed_value.person_id
    where measured_on > treated.index_date
        and measured_on <= treated.last_dose_on + setting.laboratory_days_after_last_dose
    union all
    -- A baseline value itself is graded by the limits of normal, so it finds no baseline.
    select true, baseline.*, null
    from baseline
),

gradable as materialized (
    select
        row_number() over () as number,
        period.person_id,
        period.site,
        period.is_baseline,
        period.measured_on,
        period.measured_at,
        test.position,
        period.value,
        -- Values and bounds to nine decimals, so that a value at a threshold stays at it.
        round(period.low, 9) as low,
        round(period.high, 9) as high,
        period.has_low,
        period.has_high,
        -- Normal limits are the source's, side by side with the protocol's where it gives none.
        coalesce(period.reference_low, test.lower) as lower_limit,
        coalesce(period.reference_high, test.upper) as upper_limit,
        at_baseline.value as baseline_value,
        coalesce(at_baseline.state, 'normal') as baseline_state,
        coalesce(at_baseline.is_low, false) as is_baseline_low,
        period.resource_key
    from period
    join laboratory_test as test on test.measurement = period.codelist
    left join at_baseline on at_baseline.person_id = period.baseline_of and at_baseline.position = test.position
    where period.value is not null
),

bounded as (
    select
        value.number,
        value.low,
        value.high,
        value.has_low,
        value.has_high,
        rule.grade,
        rule.low_inclusive,
        rule.high_inclusive,
        rule.low_basis is not null as has_lower_bound,
        rule.high_basis is not null as has_upper_bound,
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
    from gradable as value
    join rule
        on rule.position = value.position
        and rule.baseline_state = value.baseline_state
        and rule.is_baseline_low = value.is_baseline_low
),

held as (
    select
        number,
        grade,
        case
            when lacks_limit then null
            -- A row that needs a baseline that isn't known doesn't hold.
            when (has_lower_bound and lower_bound is null) or (has_upper_bound and upper_bound is null) then false
            else (
                case
                    when not has_lower_bound then true
                    when low_inclusive then is_at_least(low, high, has_low, has_high, lower_bound)
                    else is_above(low, high, has_low, has_high, lower_bound)
                end
                and case
                    when not has_upper_bound then true
                    when high_inclusive then is_at_most(low, high, has_low, has_high, upper_bound)
                    else is_below(low, high, has_low, has_high, upper_bound)
                end
            )
        end as holds
    from bounded
),

graded as (
    select
        number,
        coalesce(max(grade) filter (where holds), 0) as certain_grade,
        max(grade) filter (where holds is null) as possible_grade
    from held
    group by number
)

select
    value.person_id,
    value.site,
    case when value.is_baseline then 'baseline' else 'after' end as period,
    test.term,
    test.measurement,
    value.value,
    value.measured_on,
    value.measured_at,
    value.resource_key,
    case when possible_grade > certain_grade then null else certain_grade end::integer as grade
from gradable as value
join graded on graded.number = value.number
join laboratory_test as test on test.position = value.position
