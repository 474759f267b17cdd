-- One row per assessment and trial: the first criterion that is true; else NE where one can't be decided; else NR.

with result as (
    select
        known,
        contradicted,
        arg_min(response, criterion) filter (where is_met) as met,
        bool_or(is_met is null) as is_undecided,
        flatten(list(lacks order by criterion) filter (where is_met is null and lacks is not null)) as lacks
    from criterion_result
    group by known, contradicted
),

decided as (
    select
        known,
        contradicted,
        case when met is not null then met when is_undecided then 'NE' else 'NR' end as response,
        lacks
    from result
),

-- Named only where the decision needs it: of criteria that nothing else rules out.
reason as (
    select lacking.known, lacking.contradicted, arg_min(missing_reason.reason, missing_reason.rank) as reason
    from (
        select known, contradicted, unnest(lacks) as lack
        from decided
        where response = 'NE'
    ) as lacking
    join missing_reason
        on missing_reason.variable = lacking.lack.variable and missing_reason.is_baseline = lacking.lack.is_baseline
    group by all
)

select
    pattern.person_id,
    pattern.evaluation,
    pattern.trial,
    decided.response,
    reason.reason as missing
from assessment_pattern as pattern
join decided
    on decided.known = pattern.known and decided.contradicted is not distinct from pattern.contradicted
left join reason
    on reason.known = decided.known and reason.contradicted is not distinct from decided.contradicted
