-- One row per assessment and criterion whose response has to last, where it is known not to, or where nobody knows.

with later as (
    select
        assessed.person_id,
        assessed.evaluation,
        lasting.criterion,
        following.evaluation as later_evaluation
    from assessed
    cross join criterion_lasting as lasting
    join assessed as following
        on following.person_id = assessed.person_id
        and following.evaluation > assessed.evaluation
        and following.measured_on <= assessed.measured_on + lasting.days
),

held as (
    select later.person_id, later.evaluation, later.criterion, rule.condition, all_hold(fulfils(known, rule)) as is_held
    from later
    join criterion_contradiction as rule on rule.criterion = later.criterion
    join assessment_value as known
        on known.person_id = later.person_id
        and known.evaluation = later.later_evaluation
        and known.variable = rule.variable
    group by later.person_id, later.evaluation, later.criterion, later.later_evaluation, rule.condition
)

select distinct person_id, evaluation, criterion
from held
where is_held
union
select assessed.person_id, assessed.evaluation, lasting.criterion
from assessed
join criterion_lasting as lasting on lasting.needs_contact
left join last_contact on last_contact.person_id = assessed.person_id
where coalesce(last_contact.contact_on < assessed.measured_on + lasting.days, true)
