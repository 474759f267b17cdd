-- view
-- One row per person whose Patient this study uses.

select * from clinical.person
anti join left_out using (site, resource_key)
