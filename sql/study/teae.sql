-- One row per treatment-emergent adverse event of a treated person.

select * exclude (is_treatment_emergent)
from adverse_event_all
where is_treatment_emergent
