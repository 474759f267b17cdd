-- One row per name and type by which a reference may mean a current resource: its own key, and every alias of only one
-- resource of that type.

with own as (
    select site, resource_type, resource_key as name, resource_key
    from resource
),

-- An alias of several resources means none of them; it becomes a finding, not a guess.
other as (
    select alias.site, alias.resource_type, alias.name, min(alias.resource_key) as resource_key
    from alias
    anti join own on own.site = alias.site and own.name = alias.name
    group by alias.site, alias.resource_type, alias.name
    having count(*) = 1
)

from own
union all
from other
