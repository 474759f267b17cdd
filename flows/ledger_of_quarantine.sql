-- One row per resource of the load that can't be mapped, with the rule that it breaks.

select site, file, line, type, id, rule, landed_at
from _resource
where status = 'quarantined' and not is_contained
