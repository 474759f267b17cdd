-- view
-- The rows of fhir.observation that come from current resources, with their source.

select
    fhir_row.* exclude (type, id, version, last_updated, landed_at, full_url, view_hash),
    fhir_row.type as resource_type,
    fhir_row.id as resource_id,
    fhir_row.version as resource_version
from fhir.observation as fhir_row
semi join resource using (site, file, line, part)
