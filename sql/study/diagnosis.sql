-- view
-- The rows of clinical.diagnosis whose resource this study uses.

select * from clinical.diagnosis
anti join left_out using (site, resource_key)
