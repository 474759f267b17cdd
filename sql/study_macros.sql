-- Rules of dates and comparisons that several study models share; in main, where views of every schema find them.

-- The day taken for a partial date: by the protocol's rule, then bounded by days that it can't pass. A bound that
-- lies outside the period contradicts it and is left aside.
create or replace macro main.imputed_day(first_day, last_day, rule, not_before, not_after, data_cutoff) as
    case
        when first_day is null or first_day = last_day then first_day
        else least(
            greatest(
                case
                    when rule = 'first' then first_day
                    when rule = 'last' then last_day
                    when last_day - first_day < 31 then first_day + 14
                    else make_date(year(first_day), 7, 1)
                end,
                case when not_before <= last_day then not_before end
            ),
            case when not_after >= first_day then not_after end,
            case when data_cutoff >= first_day then data_cutoff end
        )
    end;

-- Comparisons of an interval with a bound: decided only where every value of the interval agrees, else null.
create or replace macro main.is_at_least(low, high, has_low, has_high, bound) as
    case when low >= bound then true when high < bound or (high = bound and not has_high) then false end;
create or replace macro main.is_above(low, high, has_low, has_high, bound) as
    case when low > bound or (low = bound and not has_low) then true when high <= bound then false end;
create or replace macro main.is_at_most(low, high, has_low, has_high, bound) as
    case when high <= bound then true when low > bound or (low = bound and not has_low) then false end;
create or replace macro main.is_below(low, high, has_low, has_high, bound) as
    case when high < bound or (high = bound and not has_high) then true when low >= bound then false end;

-- Whether a value fulfils a comparison of the criteria; null where it can't be decided.
create or replace macro main.fulfils(value, rule) as
    case rule.comparison
        when 'at_least' then is_at_least(value.low, value.high, value.has_low, value.has_high, rule.bound)
        when 'above' then is_above(value.low, value.high, value.has_low, value.has_high, rule.bound)
        when 'at_most' then is_at_most(value.low, value.high, value.has_low, value.has_high, rule.bound)
        when 'below' then is_below(value.low, value.high, value.has_low, value.has_high, rule.bound)
        when 'equals' then value.truth = rule.expected
    end;

-- Three-valued and, or, over the rows of a group.
create or replace macro main.all_hold(truth) as
    case when bool_or(not truth) then false when count(*) = count(truth) then true end;
create or replace macro main.any_holds(truth) as
    case when bool_or(truth) then true when count(*) = count(truth) then false end;

-- Birthdays passed: one born on 29 February has theirs on 1 March in other years.
create or replace macro main.completed_years(birth_on, day) as
    year(day) - year(birth_on)
    - case when (month(day), day(day)) < (month(birth_on), day(birth_on)) then 1 else 0 end;
-- Null where all days of the birth are later: a birth that contradicts the day gives no age. One that was imputed later
-- than the day, of which it leaves an earlier one open, gives 0.
create or replace macro main.age_on(birth_first, birth_on, day) as
    case when birth_first <= day then completed_years(least(birth_on, day), day) end;
