-- view
-- The rows of clinical.measurement whose resource this study uses.

select * from clinical.measurement
anti join left_out using (site, resource_key)
