-- One row per site that was pulled from: when it was last pulled completely (NULL: never), and whether a later pull
-- wasn't completed, so that what is here of it is stale since.

select
    site,
    arg_max(source, ended_at) as source,
    max(completed_at) as completed_at,
    arg_max(completed_at is null, ended_at) as is_stale,
    case when arg_max(completed_at is null, ended_at) then arg_max(coalesce(failed_step, ''), ended_at) end as failed_step,
    arg_max(deletions, ended_at) as deletions
from fhir.pull
group by site
