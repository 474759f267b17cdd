-- Order of two dates as FHIR writes them: -1, 0 or 1; NULL where their precision doesn't tell, as FHIRPath says.
create or replace temp macro date_order(one, other) as
    case
        when length(one) > 16 and length(other) > 16 then
            sign(epoch_us(cast(one as timestamptz)) - epoch_us(cast(other as timestamptz)))
        when one[1:least(length(one), length(other), 10)] < other[1:least(length(one), length(other), 10)] then -1
        when one[1:least(length(one), length(other), 10)] > other[1:least(length(one), length(other), 10)] then 1
        when length(one) = length(other) then sign(cast(one > other as integer) - cast(one < other as integer))
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
create or replace temp macro clock_of(written) as regexp_extract(written, 'T([0-9:.]+)', 1);
create or replace temp macro offset_of(written) as regexp_extract(written, 'T.*?(Z|[+-]\d\d:\d\d)$', 1);

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
    cast('0.5e' || (exponent_of(written) - length(regexp_extract(written, '\.(\d+)', 1))) as decimal(38, 15));
create or replace temp macro low_boundary_decimal(written) as
    cast(cast(written as decimal(38, 15)) - half_unit(written) as double);
create or replace temp macro high_boundary_decimal(written) as
    cast(cast(written as decimal(38, 15)) + half_unit(written) as double);
