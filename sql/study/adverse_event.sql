-- view
-- The rows of clinical.adverse_event whose resource this study uses.

select * from clinical.adverse_event
anti join left_out using (site, resource_key)
