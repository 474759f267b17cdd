-- One row per further name of a current resource: its full URL, its identifiers with and without its type, and within its
-- owner a contained resource's own.

select distinct alias.site, alias.alias as name, resource.resource_type, resource.resource_key
from fhir.alias as alias
join resource on resource.site = alias.site and resource.resource_key = alias.resource_key
-- An identifier is that of the current version: one that was corrected may be another's by now.
where not contains(alias.alias, '?identifier=') or alias.file = resource.file
