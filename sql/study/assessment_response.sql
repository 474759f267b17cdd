-- One row per assessment and trial: the first criterion that is true; else NE where one can't be decided; else NR.

with result as (
    select
        person_id,
        evaluation,
        trial,
        arg_min(response, criterion) filter (where is_met) as met,
        bool_or(is_met is null) as is_undecided,
        flatten(list(lacks order by criterion) filter (where is_met is null and lacks is not null)) as lacks
    from criterion_result
    group by person_id, evaluation, trial
),

decided as (
    select
        person_id,
        evaluation,
        trial,
        case when met is not null then met when is_undecided then 'NE' else 'NR' end as response,
        lacks
    from result
),

-- Named only where the decision needs it: of criteria that nothing else rules out.
reason as (
    select lacking.person_id, lacking.evaluation, lacking.trial, arg_min(missing_reason.reason, missing_reason.rank) as reason
    from (
        select person_id, evaluation, trial, unnest(lacks) as lack
        from decided
        where response = 'NE'
    ) as lacking
    join missing_reason
        on missing_reason.variable = lacking.lack.variable and missing_reason.is_baseline = lacking.lack.is_baseline
    group by all
)

select decided.person_id, decided.evaluation, decided.trial, decided.response, reason.reason as missing
from decided
left join reason
    on reason.person_id = decided.person_id
    and reason.evaluation = decided.evaluation
    and reason.trial = decided.trial
