-- One row per evaluation that is a response assessment: after the index date, before what ends the assessments.

with ending as (
    select named_event.person_id, min(event_on) as ends_on
    from named_event
    join treated on treated.person_id = named_event.person_id
    where event in (select event from assessment_end) and event_on >= index_date
    group by named_event.person_id
)

select evaluation.*
from evaluation
join treated on treated.person_id = evaluation.person_id
left join ending on ending.person_id = evaluation.person_id
where evaluation.measured_on > treated.index_date
    and (ending.ends_on is null or evaluation.measured_on < ending.ends_on)
