-- One row per person with a record of a drug at a level of evidence that counts otherwise than before.

select distinct exposure.person_id
from drug_exposure as exposure
join (
    (from evidence except from before_evidence)
    union
    (from before_evidence except from evidence)
) as changed on changed.evidence_level = exposure.evidence_level
