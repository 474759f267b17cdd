-- One row per deletion that was told, with the key of what it ends: a conditional one, by an identifier, means the only
-- resource that was ever given that. NULL where it doesn't say what it means.

with named as (
    select alias.site, alias.alias, min(alias.resource_key) as resource_key
    from fhir.alias as alias
    semi join fhir.deletion as deletion on deletion.site = alias.site and deletion.resource_key = alias.alias
    where contains(alias.alias, '?identifier=')
    group by alias.site, alias.alias
    having count(distinct alias.resource_key) = 1
)

select
    deletion.* exclude (resource_key),
    case
        when contains(deletion.resource_key, '?identifier=') then named.resource_key
        else deletion.resource_key
    end as resource_key
from fhir.deletion as deletion
left join named on named.site = deletion.site and named.alias = deletion.resource_key
