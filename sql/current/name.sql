-- One row per name by which a reference may mean a current resource: its own key, and every alias of one resource only.

with own as (
    select site, resource_key as name, resource_key from resource
),

-- An alias of several resources means none of them; it becomes a finding, not a guess.
alias as (
    select alias.site, alias.alias as name, min(alias.resource_key) as resource_key
    from fhir.alias as alias
    semi join resource using (site, resource_key)
    anti join own on own.site = alias.site and own.name = alias.alias
    group by alias.site, alias.alias
    having count(distinct alias.resource_key) = 1
)

from own
union all
from alias
