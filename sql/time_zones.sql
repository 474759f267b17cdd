-- A written time as its site's own clock shows it; temporary, as the other rules of dates are. Only an instant with `Z`, and
-- a time without an offset, are changed, and only where the site's zone is known: `time_zones` maps site to zone.

create or replace temp macro zone_of(place) as getvariable('time_zones')[place];

-- What a zone's clock shows at an instant, as text with its offset, which has seconds where time wasn't standard yet. Both
-- come as lists of one, so that each is worked out once: finding a zone is slow.
create or replace temp macro on_clock(shown, instant) as
    list_transform(
        list_zip(shown, instant),
        lambda pair: pair[1]::varchar || case when epoch(pair[1]) < epoch(pair[2]) then '-' else '+' end
            || to_seconds(abs(epoch(pair[1]) - epoch(pair[2]))::bigint)::varchar
    )[1];

create or replace temp macro with_seconds(written, length_without) as
    case when length(written) = length_without then left(written, 16) || ':00' || substr(written, 17) else written end;

create or replace temp macro is_time(written) as
    length(written) >= 16 and written[5] = '-' and written[8] = '-' and written[11] in ('T', ' ');

-- `2024-03-01T20:00:00Z` in Seoul is 2024-03-02 05:00:00+09:00:00.
create or replace temp macro placed(written, place) as
    case
        -- 9999 stands for no end; it has no day after its last.
        when zone_of(place) is null or not is_time(written) or left(written, 4) = '9999' then written
        when ends_with(written, 'Z')
            then coalesce(
                on_clock(
                    [timezone(zone_of(place), try_cast(with_seconds(written, 17) as timestamptz))],
                    [try_cast(with_seconds(written, 17) as timestamptz)]
                ),
                written
            )
        -- Without an offset it is already what the clock there showed.
        when not regexp_matches(substr(written, 12), '[Z+-]')
            then coalesce(
                on_clock(
                    [try_cast(with_seconds(written, 16) as timestamp)],
                    [timezone(zone_of(place), try_cast(with_seconds(written, 16) as timestamp))]
                ),
                written
            )
        else written
    end;
