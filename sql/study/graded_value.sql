-- One row per gradable value, with its grade; null where it can't be decided.

with bounded as (
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
    from gradable_value as value
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
                    when low_inclusive then is_at_least(low, high, has_low, has_high, lower_bound)
                    else is_above(low, high, has_low, has_high, lower_bound)
                end as above,
                case
                    when not has_upper_bound then true
                    when high_inclusive then is_at_most(low, high, has_low, has_high, upper_bound)
                    else is_below(low, high, has_low, has_high, upper_bound)
                end as beneath
            from bounded
        )
    )
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
    value.number,
    value.person_id,
    value.period,
    value.term,
    value.measured_on,
    value.measured_at,
    value.resource_key,
    case when possible_grade > certain_grade then null else certain_grade end::integer as grade
from gradable_value as value
join graded on graded.number = value.number
