-- One row per dated event of a treated person, at or before the cut-off: what endpoints begin with, end with, or stop at.

with remission as (
    select
        rated.person_id,
        treated.site,
        'remission' as event,
        rated.assessed_on as event_on,
        rated.response as description,
        coalesce(derived.source, given.source) as source
    from rated_assessment as rated
    join treated on treated.person_id = rated.person_id
    left join assessed as derived
        on derived.person_id = case when rated.rating = 'derived' then rated.person_id end
        and derived.source.resource_key = rated.resource_key
        and derived.measured_on = rated.assessed_on
    left join investigator_assessment as given
        on given.person_id = case when rated.rating = 'investigator' then rated.person_id end
        and given.source.resource_key = rated.resource_key
        and given.response = rated.response
    where rated.is_primary and rated.is_remission
    qualify row_number() over (
        partition by rated.person_id
        order by rated.assessed_on, rated.assessed_at nulls first, rated.rank, rated.resource_key
    ) = 1
)

select
    person_id,
    site,
    'death' as event,
    death_on as event_on,
    case
        when not is_dated then 'death, undated: at the last contact'
        when is_imputed then 'death, partial date imputed'
        else 'death'
    end as description,
    source_of(death) as source
from death
union all
select person_id, site, event, event_on, replace(event, '_', ' '), source
from named_event
union all
from remission
union all
select person_id, site, 'relapse', relapse_on, 'relapse by ' || replace(sign, '_', ' '), source
from relapse
union all
select person_id, site, 'last_contact', contact_on, 'last contact: ' || kind, source
from last_contact
union all
select person_id, site, 'last_disease_assessment', assessed_on, 'last disease assessment', source
from last_disease_assessment
