-- view
-- One row per code that falls on a codelist of a study at a site, its ConceptMaps applied.

select * from current.code
