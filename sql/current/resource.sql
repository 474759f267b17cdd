-- One row per current resource: its key, and the line that it stands on.

select site, resource_key, file, line, part, type as resource_type, id as resource_id, version as resource_version
from version
where is_current
