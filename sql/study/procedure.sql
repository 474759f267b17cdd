-- view
-- The rows of clinical.procedure whose resource this study uses.

select * from clinical.procedure
anti join left_out using (site, resource_key)
