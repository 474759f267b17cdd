-- The instant that a text means. DuckDB reads neither a leap second, which FHIR allows, nor a time without seconds, which
-- real exports write.
create or replace temp macro written_instant(written) as
    coalesce(
        try_cast(written as timestamptz),
        try_cast(regexp_replace(written, '^(.{10}[T ]\d{2}:\d{2})(Z|[+-]|$)', '\1:00\2') as timestamptz),
        try_cast(regexp_replace(written, '^(.{10}[T ]\d{2}:\d{2}):60', '\1:59') as timestamptz) + interval 1 second
    );
