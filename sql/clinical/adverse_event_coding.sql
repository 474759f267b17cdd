-- One row per code of an AdverseEvent's event, seriousness and outcome, or of a Condition that is one: as sent, and as the
-- site's ConceptMaps translate it.

with sent as (
    select site, resource_key, 'event' as element, event_system as system, event_code as code, event_display as display
    from current.adverse_event
    where event_code is not null
    union
    select site, resource_key, 'event' as element, code_system as system, code_code as code, code_display as display
    from current.adverse_event
    where code_code is not null
    union
    select site, resource_key, 'seriousness' as element, seriousness_system as system, seriousness_code as code, null::varchar as display
    from current.adverse_event
    where seriousness_code is not null
    union
    select site, resource_key, 'outcome' as element, outcome_system as system, outcome_code as code, null::varchar as display
    from current.adverse_event
    where outcome_code is not null
    union
    select condition.site, condition.resource_key, 'event', condition.code_system, condition.code_code, condition.code_display
    from current.condition
    where condition.code_code is not null
)

from sent
union
select sent.site, sent.resource_key, sent.element, map.target_system, map.target_code, null
from sent
join current.concept_map as map
    on map.site = sent.site
    and map.source_system = sent.system
    and map.source_code = sent.code
