-- One row per current Patient: the Patient that it was merged into, itself where it wasn't.

-- Only replaced-by and its mirror merge; seealso and refer never do.
with recursive link as (
    select link.site, link.resource_key as former, name.resource_key as later
    from current.patient_link as link
    join current.name as name on name.site = link.site and name.name = link.other_key
    where link.link_type = 'replaced-by'
    union
    select link.site, name.resource_key, link.resource_key
    from current.patient_link as link
    join current.name as name on name.site = link.site and name.name = link.other_key
    where link.link_type = 'replaces'
),

-- Every Patient that can be reached by following links. In a circle each reaches all.
reached (site, patient_key, later) as (
    select site, resource_key, resource_key from current.patient
    union
    select reached.site, reached.patient_key, link.later
    from reached
    join link on link.site = reached.site and link.former = reached.later
),

-- The survivor is the one that reaches fewest others: the chain's end, or any of a circle, of which the least key.
reach as (
    select site, patient_key, count(*) as reaches from reached group by site, patient_key
)

select
    reached.site,
    reached.patient_key,
    arg_min(reached.later, (reach.reaches, reached.later)) as survivor_key
from reached
join reach on reach.site = reached.site and reach.patient_key = reached.later
group by reached.site, reached.patient_key
