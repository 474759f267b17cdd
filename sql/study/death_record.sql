-- view
-- The rows of clinical.death_record whose resource this study uses.

select * from clinical.death_record
anti join left_out using (site, resource_key)
