-- One row per person with any source of a death: the chosen one. The first dated source in the protocol's order wins.

with source as (
    select
        record.person_id,
        record.site,
        record.kind,
        death_source.rank,
        record.died_first,
        record.died_last,
        record.resource_key
    from death_record as record
    cross join setting
    join death_source on death_source.kind = record.kind
    where record.study is null or record.study = setting.study
),

ranked as (
    select
        *,
        row_number() over (
            partition by person_id
            -- Within a kind the earliest, then the lower id: any total order, the same every time.
            order by died_first is null, rank, died_first, died_last, resource_key
        ) as choice,
        max(died_first) over (partition by person_id) as latest_first,
        min(died_last) over (partition by person_id) as earliest_last
    from source
)

select
    ranked.person_id,
    ranked.site,
    ranked.kind,
    ranked.died_first,
    ranked.died_last,
    ranked.died_first is not null as is_dated,
    -- Sources agree where one day is possible for all of them.
    coalesce(latest_first > earliest_last, false) as has_conflict,
    coalesce(ranked.died_first > data_cutoff, false) as is_after_cutoff,
    ranked.resource_key
from ranked
cross join data_cutoff
where choice = 1
