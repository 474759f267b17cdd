-- One row per rule that a mapped resource, or one within it, breaks.

select f.site, f.file, n.line, n.type, n.id, n.rule, f.landed_at
from finding as n
join loading_file as f on f.number = n.file
union all
select site, file, line, type, id, 'contained:' || rule, landed_at
from _resource
where status = 'quarantined' and is_contained and rule = 'unreadable'
