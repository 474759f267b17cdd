-- One row per name and type by which a reference may mean a current resource: its own key, and every alias of only one
-- resource of that type.

with own as (
    select site, resource_type, resource_key as name, resource_key
    from resource
),

-- An alias of several resources means none of them; it becomes a finding, not a guess.
alias as (
    select alias.site, resource.resource_type, alias.alias as name, min(alias.resource_key) as resource_key
    from fhir.alias as alias
    join resource on resource.site = alias.site and resource.resource_key = alias.resource_key
    anti join own on own.site = alias.site and own.name = alias.alias
    group by alias.site, resource.resource_type, alias.alias
    having count(distinct alias.resource_key) = 1
)

from own
union all
from alias
