-- view
-- The rows of clinical.contact whose resource this study uses.

select * from clinical.contact
anti join left_out using (site, resource_key)
