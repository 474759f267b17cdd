-- One row per code of an AdverseEvent's event, seriousness and outcome, or of a Condition that is one: as sent, and as the
-- site's ConceptMaps translate it.

with condition as (
    select condition.*
    from current.condition
    semi join diagnosis
        on diagnosis.site = condition.site
        and diagnosis.resource_key = condition.resource_key
        and list_contains(diagnosis.categories, 'urn:cove:condition-category|adverse-event')
),

sent (site, resource_key, element, system, code, display) as (
    select site, resource_key, 'event', event_system, event_code, plain_text(event_display) from current.adverse_event
    union
    select site, resource_key, 'event', code_system, code_code, plain_text(code_display) from current.adverse_event
    union
    select site, resource_key, 'event', code_system, code_code, plain_text(code_display) from condition
    union
    select site, resource_key, 'seriousness', seriousness_system, seriousness_code, null from current.adverse_event
    union
    select site, resource_key, 'outcome', outcome_system, outcome_code, null from current.adverse_event
)

select * from sent where code is not null
union
select sent.site, sent.resource_key, sent.element, map.target_system, map.target_code, null
from sent
join current.concept_map as map
    on map.site = sent.site
    and map.source_system = sent.system
    and map.source_code = sent.code
