-- One row per treated person with a source of a death that is not after the cut-off; the day is null where none is dated.

select
    recorded.person_id,
    recorded.site,
    recorded.kind,
    treated.died_on,
    coalesce(recorded.died_first < recorded.died_last, false) as is_imputed,
    recorded.is_dated,
    recorded.has_conflict,
    recorded.resource_key
from recorded_death as recorded
join treated on treated.person_id = recorded.person_id
where not recorded.is_after_cutoff
