-- view
-- One row per graded test and laboratory value of its codelist, in the period or at baseline, with its grade; null where it
-- can't be decided.

-- The rules of a test for each state that a baseline value can be in. A bound is a number times what it is of: 1, a limit
-- of normal, or the baseline; where there is none it is infinite. Values are compared with bounds to nine decimals (or
-- twelve digits), so that one at a threshold stays at it: `gap` is on which side of it the threshold's own value lies.
with bound as (
    select
        ctcae.*,
        coalesce(list_position(['value', 'lower_limit', 'upper_limit', 'baseline'], low_basis), 1) as low_of,
        coalesce(list_position(['value', 'lower_limit', 'upper_limit', 'baseline'], high_basis), 1) as high_of,
        case when low_inclusive then -1 else 1 end as low_side,
        case when high_inclusive then 1 else -1 end as high_side
    from ctcae
),

rule as (
    select
        test.position,
        baseline.state,
        low.is_low,
        known.has_baseline,
        list({
            'twice': 2 * bound.grade,
            'low': coalesce(bound.low + low_side * 1e-12::double * abs(bound.low), '-infinity'::double),
            'low_of': low_of,
            'low_gap': low_side * 5e-10::double,
            'high': coalesce(bound.high + high_side * 1e-12::double * abs(bound.high), 'infinity'::double),
            'high_of': high_of,
            'high_gap': high_side * 5e-10::double
        }) as rules
    from bound
    join laboratory_test as test on test.term = bound.term
    cross join (select unnest(['normal', 'abnormal']) as state) as baseline
    cross join (select unnest([true, false]) as is_low) as low
    cross join (select unnest([true, false]) as has_baseline) as known
    where (bound.baseline in ('any', state) or (bound.baseline = 'below_lower_limit' and is_low))
        -- A rule that needs a baseline that isn't known doesn't hold.
        and (has_baseline or (low_of < 4 and high_of < 4))
    group by test.position, baseline.state, low.is_low, known.has_baseline
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
    where baseline.comparator is null and baseline.value is not null
),

period as (
    select 'after' as period, observed_value.*, observed_value.person_id as baseline_of
    from observed_value
    cross join setting
    join treated on treated.person_id = observed_value.person_id
    where measured_on > treated.index_date
        and measured_on <= treated.last_dose_on + setting.laboratory_days_after_last_dose
    union all
    -- A baseline value itself is graded by the limits of normal, so it finds no baseline.
    select 'baseline', baseline.*, null
    from baseline
),

gradable as (
    select
        period.*,
        test.position,
        test.term,
        test.measurement,
        rule.rules,
        -- An open end lies beyond its number.
        case when has_low or isinf(low) then low else low + 1e-9::double + 4e-12::double * abs(low) end as lowest,
        case when has_high or isinf(high) then high else high - 1e-9::double - 4e-12::double * abs(high) end as highest,
        -- Normal limits are the source's, side by side with the protocol's where it gives none.
        [
            1,
            coalesce(period.reference_low, test.lower),
            coalesce(period.reference_high, test.upper),
            at_baseline.value
        ]::double[] as scale
    from period
    join laboratory_test as test on test.measurement = period.codelist
    left join at_baseline on at_baseline.person_id = period.baseline_of and at_baseline.position = test.position
    left join rule
        on rule.position = test.position
        and rule.state = coalesce(at_baseline.state, 'normal')
        and rule.is_low = coalesce(at_baseline.is_low, false)
        and rule.has_baseline = (at_baseline.person_id is not null)
    where period.value is not null
),

-- Twice the highest grade that isn't ruled out, and one more where it is certain; 0 where all are ruled out.
decided as (
    select
        *,
        coalesce(list_max(list_transform(rules, lambda rule: case
            when highest < rule.low * scale[rule.low_of] + rule.low_gap
                or lowest > rule.high * scale[rule.high_of] + rule.high_gap then 0
            when lowest >= rule.low * scale[rule.low_of] + rule.low_gap
                and highest <= rule.high * scale[rule.high_of] + rule.high_gap then rule.twice + 1
            else rule.twice
        end)), 0) as twice
    from gradable
)

select
    person_id,
    site,
    period,
    position,
    term,
    measurement,
    value,
    measured_on,
    measured_at,
    resource_key,
    case when twice = 0 then 0 when twice % 2 = 1 then twice // 2 end::integer as grade
from decided
