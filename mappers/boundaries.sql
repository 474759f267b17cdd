create or replace temp macro clock_of(written) as regexp_extract(written, 'T([0-9:.]+)', 1);
create or replace temp macro offset_of(written) as regexp_extract(written, 'T.*?(Z|[+-]\d\d:\d\d)$', 1);

-- Seconds and their fractions are one precision: hour 2, minute 5, second 8.
create or replace temp macro clock_precision(clock) as least(length(clock), 8);
create or replace temp macro clock_unit(digits) as
    case digits when 2 then 3600000000 when 5 then 60000000 else 1 end;

-- Microseconds since midnight; 60 is a leap second.
create or replace temp macro clock_us(clock) as
    try_cast(clock[1:2] as bigint) * 3600000000
    + coalesce(try_cast(clock[4:5] as bigint), 0) * 60000000
    + coalesce(cast(try_cast(clock[7:] as decimal(18, 6)) * 1000000 as bigint), 0);
create or replace temp macro offset_us(written_offset) as
    case
        when written_offset in ('', 'Z') then 0
        else clock_us(written_offset[2:]) * case written_offset[1] when '-' then -1 else 1 end
    end;
create or replace temp macro instant_us(written) as
    epoch_us(try_cast(written[1:10] as timestamp)) + clock_us(clock_of(written)) - offset_us(offset_of(written));

-- Order of two instants in microseconds, -1, 0 or 1, each with the clock that says its precision: NULL where they
-- agree as far as both are written, and one goes on.
create or replace temp macro instant_order(one, other, one_clock, other_clock) as
    case
        when one is null or other is null then null
        when one // clock_unit(least(clock_precision(one_clock), clock_precision(other_clock)))
            <> other // clock_unit(least(clock_precision(one_clock), clock_precision(other_clock)))
            then sign(one - other)
        when clock_precision(one_clock) = clock_precision(other_clock) then 0
    end;

-- Order of two times of day.
create or replace temp macro clock_order(one, other) as
    instant_order(clock_us(one), clock_us(other), one, other);

-- Order of two dates as FHIR writes them: -1, 0 or 1; NULL where their precision doesn't tell, as FHIRPath says.
-- Where only one has an offset, the other may be meant anywhere on earth, 14 hours away at most.
create or replace temp macro date_order(one, other) as
    case
        when one[1:least(length(one), length(other), 10)] <> other[1:least(length(one), length(other), 10)]
            and least(length(one), length(other)) <= 10
            then case when one < other then -1 else 1 end
        when length(one) > 10 and length(other) > 10 then
            case
                when (offset_of(one) = '') = (offset_of(other) = '') then
                    instant_order(instant_us(one), instant_us(other), clock_of(one), clock_of(other))
                when abs(instant_us(one) - instant_us(other)) > 14 * 3600000000 then
                    sign(instant_us(one) - instant_us(other))
            end
        when length(one) = length(other) then 0
    end;

-- The last day of the month of yyyy-mm.
create or replace temp macro last_day_of(month) as cast(last_day(cast(month || '-01' as date)) as varchar);

create or replace temp macro low_boundary_date(written) as
    case length(written) when 4 then written || '-01-01' when 7 then written || '-01' else written end;

create or replace temp macro high_boundary_date(written) as
    case length(written) when 4 then written || '-12-31' when 7 then last_day_of(written) else written end;

create or replace temp macro low_boundary_clock(written) as
    case length(written)
        when 2 then written || ':00:00.000'
        when 5 then written || ':00.000'
        when 8 then written || '.000'
        else rpad(written, 12, '0')
    end;

create or replace temp macro high_boundary_clock(written) as
    case length(written)
        when 2 then written || ':59:59.999'
        when 5 then written || ':59.999'
        when 8 then written || '.999'
        else rpad(written, 12, '9')
    end;

create or replace temp macro low_boundary_time(written) as low_boundary_clock(written);
create or replace temp macro high_boundary_time(written) as high_boundary_clock(written);

-- A dateTime without an offset may be anywhere on earth: +14:00 is the earliest, -12:00 the latest.
create or replace temp macro low_boundary_datetime(written) as
    low_boundary_date(split_part(written, 'T', 1)) || 'T'
    || case when contains(written, 'T') then low_boundary_clock(clock_of(written)) else '00:00:00.000' end
    || coalesce(nullif(offset_of(written), ''), '+14:00');

create or replace temp macro high_boundary_datetime(written) as
    high_boundary_date(split_part(written, 'T', 1)) || 'T'
    || case when contains(written, 'T') then high_boundary_clock(clock_of(written)) else '23:59:59.999' end
    || coalesce(nullif(offset_of(written), ''), '-12:00');

-- Half a unit of the last digit written: 1.0 is between 0.95 and 1.05, 1e2 between 50 and 150.
create or replace temp macro exponent_of(written) as
    coalesce(try_cast(regexp_extract(lower(written), 'e([+-]?\d+)$', 1) as integer), 0);
create or replace temp macro half_unit(written) as
    '0.5e' || (exponent_of(written) - length(regexp_extract(written, '\.(\d+)', 1)));
-- Beyond the range of the decimal, the double is near enough.
create or replace temp macro low_boundary_decimal(written) as
    coalesce(
        try_cast(try_cast(written as decimal(38, 15)) - try_cast(half_unit(written) as decimal(38, 15)) as double),
        cast(written as double) - cast(half_unit(written) as double)
    );
create or replace temp macro high_boundary_decimal(written) as
    coalesce(
        try_cast(try_cast(written as decimal(38, 15)) + try_cast(half_unit(written) as decimal(38, 15)) as double),
        cast(written as double) + cast(half_unit(written) as double)
    );
