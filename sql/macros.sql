-- Dates as FHIR writes them: YYYY, YYYY-MM, YYYY-MM-DD, or a time with an offset. The day is the one written at the
-- site, whatever the offset: 2020-03-01T23:30:00+09:00 is 1 March. A text that is no date gives NULL throughout.

create or replace macro date_on(t) as
    case when length(t) >= 10 then try_cast(left(t, 10) as date) end;

create or replace macro date_first(t) as
    case
        when length(t) = 4 then try_cast(t || '-01-01' as date)
        when length(t) = 7 then try_cast(t || '-01' as date)
        when length(t) >= 10 then try_cast(left(t, 10) as date)
    end;

create or replace macro date_last(t) as
    case
        when length(t) = 4 then try_cast(t || '-12-31' as date)
        when length(t) = 7 then last_day(try_cast(t || '-01' as date))
        when length(t) >= 10 then try_cast(left(t, 10) as date)
    end;

create or replace macro date_precision(t) as
    case
        when date_first(t) is null then null
        when length(t) = 4 then 'year'
        when length(t) = 7 then 'month'
        when length(t) = 10 then 'day'
        else 'time'
    end;

create or replace macro instant_at(t) as
    case when length(t) > 10 then try_cast(t as timestamptz) end;

-- A number's digits and power of ten from its shortest text ('0.07' is 7 and -2), so that it can be multiplied exactly.
create or replace macro number_digits(t) as
    try_cast(replace(split_part(lower(t), 'e', 1), '.', '') as hugeint);

create or replace macro number_exponent(t) as
    coalesce(try_cast(nullif(split_part(lower(t), 'e', 2), '') as integer), 0)
    - length(split_part(split_part(lower(t), 'e', 1), '.', 2));

-- The double nearest to the exact product of a number and a factor of at most 20 digits: 17 + 20 digits fit in 128 bits.
create or replace macro exact_product(value, factor_digits, factor_exponent) as
    case
        when factor_digits = 1 and factor_exponent = 0 then value::double
        else (
            (number_digits(value::double::varchar) * factor_digits)::varchar
            || 'e' || (number_exponent(value::double::varchar) + factor_exponent)::varchar
        )::double
    end;
