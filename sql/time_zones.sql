-- A written time as its site's own clock shows it; temporary, as the other rules of dates are. Only an instant with `Z`, and
-- a time without an offset, are changed, and only where the site's zone is known: `time_zones` maps site to zone.

create or replace temp macro zone_of(place) as getvariable('time_zones')[place];

-- The offset of a zone at an instant as text. Before zones were whole minutes it has seconds too: +08:27:52.
create or replace temp macro offset_text(instant, zone) as
    list_transform(
        [epoch(timezone(zone, instant))::bigint - epoch(timezone('UTC', instant))::bigint],
        lambda seconds: case when seconds < 0 then '-' else '+' end
            || regexp_replace(strftime(make_timestamp(abs(seconds) * 1000000), '%H:%M:%S'), ':00$', '')
    )[1];

-- `2024-03-01T20:00:00Z` in Seoul is 2024-03-02T05:00:00+09:00.
create or replace temp macro of_instant(instant, zone) as
    strftime(timezone(zone, instant), '%Y-%m-%dT%H:%M:%S.%f') || offset_text(instant, zone);

create or replace temp macro placed(written, place) as
    case
        when zone_of(place) is null then written
        when regexp_full_match(written, '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z')
            then coalesce(of_instant(instant_at(written), zone_of(place)), written)
        -- Without an offset it is already what the clock there showed.
        when regexp_full_match(written, '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?')
            then coalesce(
                written || offset_text(timezone(zone_of(place), instant_at(written)::timestamp), zone_of(place)),
                written
            )
        else written
    end;
