-- One row per Patient, or name of one that isn't held, and the current Patient that stands for it: itself where it wasn't
-- merged into another.

-- Only replaced-by and its mirror merge; seealso and refer never do.
with recursive merging as (
    select
        link.site,
        link.link_type,
        link.resource_key,
        coalesce(name.resource_key, link.other_key) as other_key
    from current.patient_link as link
    left join current.name as name
        on name.site = link.site
        and name.name = link.other_key
        and name.resource_type = 'Patient'
    where link.link_type in ('replaced-by', 'replaces')
        and link.other_key is not null
        and not starts_with(link.other_key, 'RelatedPerson')
),

link as (
    select site, resource_key as former, other_key as later from merging where link_type = 'replaced-by'
    union
    select site, other_key, resource_key from merging where link_type = 'replaces'
),

patient as (
    select site, resource_key as patient_key from current.patient
),

node as (
    from patient
    union
    select site, former from link
    union
    select site, later from link
),

-- Every Patient that can be reached by following links. In a circle each reaches all.
reached (site, patient_key, later) as (
    select site, patient_key, patient_key from node
    union
    select reached.site, reached.patient_key, link.later
    from reached
    join link on link.site = reached.site and link.former = reached.later
),

reach as (
    select site, patient_key, count(*) as reaches from reached group by site, patient_key
),

circular as (
    select distinct there.site, there.patient_key
    from reached as there
    join reached as back
        on back.site = there.site
        and back.patient_key = there.later
        and back.later = there.patient_key
    where there.patient_key <> there.later
)

-- The survivor is held, and reaches fewest others: the chain's end, or any of a circle, of which the least key.
select
    reached.site,
    reached.patient_key,
    arg_min(reached.later, (reach.reaches, reached.later)) as survivor_key,
    bool_or(circular.patient_key is not null) as is_circular,
    -- Merged into several that were not merged themselves: one of them, but which is a guess.
    count(*) filter (where reach.reaches = 1) > 1 as is_forked
from reached
join patient on patient.site = reached.site and patient.patient_key = reached.later
join reach on reach.site = reached.site and reach.patient_key = reached.later
left join circular on circular.site = reached.site and circular.patient_key = reached.patient_key
group by reached.site, reached.patient_key
