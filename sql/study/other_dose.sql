-- view
-- One row per dose of a listed other drug: regimens and new therapy are told from these.

-- An index drug may stand on the list of others too; it is known by a code or a name in common.
with index_drug as (
    select other.concept
    from codelist as other
    cross join setting
    join codelist as own on own.codelist = setting.index_codelist
    where other.codelist = setting.combination_codelist
        and (other.concept = own.concept or (other.system = own.system and other.code = own.code))
)

select
    drug_record.person_id,
    drug_record.site,
    drug_record.drug,
    drug_record.evidence_level,
    drug_record.dosed_on,
    drug_record.is_imputed,
    drug_record.resource_key
from drug_record
cross join setting
where drug_record.codelist = setting.combination_codelist
    and drug_record.drug not in (select concept from index_drug)
