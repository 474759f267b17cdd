-- view
-- The rows of clinical.adverse_event_suspect whose resource this study uses.

select * from clinical.adverse_event_suspect
anti join left_out using (site, resource_key)
