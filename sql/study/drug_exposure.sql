-- view
-- The rows of clinical.drug_exposure whose resource this study uses.

select * from clinical.drug_exposure
anti join left_out using (site, resource_key)
