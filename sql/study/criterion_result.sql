-- One row per pattern of what is known and criterion: true, false, or null where it can't be decided, and what it lacks.

with pattern as (
    select distinct known, contradicted
    from assessment_pattern
),

comparison as (
    select
        pattern.known,
        pattern.contradicted,
        rule.criterion,
        rule.response,
        rule.part,
        rule.condition,
        rule.variable,
        item.code % 4 = 3 as lacks_baseline,
        case item.code % 4 when 1 then true when 0 then false end as truth
    from pattern
    cross join lateral (select unnest(pattern.known) as code) as item
    join criterion_condition as rule on rule.number = item.code // 4
),

condition as (
    select
        known, contradicted, criterion, response, part, condition,
        all_hold(truth) as truth,
        list({'variable': variable, 'is_baseline': lacks_baseline} order by lacks_baseline) filter (where truth is null) as lacks
    from comparison
    group by known, contradicted, criterion, response, part, condition
),

part as (
    select
        known, contradicted, criterion, response, part,
        case part when 'all' then all_hold(truth) else any_holds(truth) end as truth,
        flatten(list(lacks order by condition) filter (where lacks is not null)) as lacks
    from condition
    group by known, contradicted, criterion, response, part
),

decided as (
    select
        known,
        contradicted,
        criterion,
        response,
        all_hold(truth) as truth,
        flatten(list(lacks order by part) filter (where truth is null and lacks is not null)) as lacks
    from part
    group by known, contradicted, criterion, response
)

select
    known,
    contradicted,
    criterion,
    response,
    case when is_contradicted then false else truth end as is_met,
    case when not is_contradicted then lacks end as lacks
from decided
cross join lateral (
    select coalesce(list_contains(contradicted, criterion), false) as is_contradicted
)
