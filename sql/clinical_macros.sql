-- Rules of written dates and of codes that several clinical models share; temporary, so that no table depends on them.

-- How much of a date is written: year, month, day, or a day with a time; null where the text is no date of FHIR.
create or replace temp macro date_precision(written) as
    case
        when regexp_full_match(written, '\d{4}') then 'year'
        when regexp_full_match(written, '\d{4}-\d{2}') and try_cast(written || '-01' as date) is not null then 'month'
        when not regexp_matches(written, '^\d{4}-\d{2}-\d{2}([T ]|$)') or try_cast(left(written, 10) as date) is null
            then null
        when length(written) = 10 then 'day'
        else 'time'
    end;

-- The first and the last day that a written date can mean, in the place's own calendar: the offset is not applied.
create or replace temp macro date_first(written) as
    case date_precision(written)
        when 'year' then try_cast(written || '-01-01' as date)
        when 'month' then try_cast(written || '-01' as date)
        when 'day' then try_cast(written as date)
        when 'time' then try_cast(left(written, 10) as date)
    end;

create or replace temp macro date_last(written) as
    case date_precision(written)
        when 'year' then try_cast(written || '-12-31' as date)
        when 'month' then last_day(try_cast(written || '-01' as date))
        else date_first(written)
    end;

create or replace temp macro date_on(written) as
    case when date_precision(written) in ('day', 'time') then date_first(written) end;

-- The instant, where a time of day is written; one without an offset is taken as if in UTC. Seconds may be missing,
-- which the cast doesn't take before an offset, and may be a leap second.
create or replace temp macro instant_at(written) as
    case
        when date_precision(written) = 'time' then coalesce(
            try_cast(regexp_replace(written, '^(.{10}[T ]\d{2}:\d{2})(Z|[+-]|$)', '\1:00\2') as timestamptz),
            try_cast(regexp_replace(written, '^(.{10}[T ]\d{2}:\d{2}):60', '\1:59') as timestamptz) + interval 1 second
        )
    end;

-- The number of a version, where it is one: 10 comes after 9.
create or replace temp macro version_number(version) as
    case when regexp_full_match(version, '\d+') then try_cast(version as hugeint) end;

-- A number with its decimal point moved, in its text, which is exact.
create or replace temp macro shifted(number_text, places) as
    try_cast(
        split_part(number_text, 'e', 1) || 'e'
        || (coalesce(try_cast(nullif(split_part(number_text, 'e', 2), '') as integer), 0) + places)
        as double
    );

-- A text from a source in one line, as people read it: without control characters and marks of direction, which would
-- show what follows in another order. Joiners stay: scripts need them.
create or replace temp macro plain_text(written) as
    nullif(
        trim(regexp_replace(
            regexp_replace(written, '[\s\p{Z}\p{Cc}]+', ' ', 'g'), '[^\P{Cf}\x{200c}\x{200d}]', '', 'g'
        )),
        ''
    );
