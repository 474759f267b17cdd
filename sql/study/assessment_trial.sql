-- view
-- One row per assessment, trial and variable that isn't known: in each trial those (three at most) are replaced by one that
-- they might have been, so that what is certain can be told.

-- Only where the main outcome isn't ruled out by what is known can it be certain.
with possible as (
    select known.person_id, known.evaluation, rule.criterion
    from assessment_value as known
    join criterion_condition as rule on rule.variable = known.variable and rule.part = 'all'
    join response_level on response_level.response = rule.response and response_level.is_main_outcome
    group by known.person_id, known.evaluation, rule.criterion
    having bool_and(coalesce(fulfils(known, rule), true))
),

undecided as (
    select
        known.person_id,
        known.evaluation,
        known.variable,
        row_number() over (partition by known.person_id, known.evaluation order by known.variable) as place,
        count(*) over (partition by known.person_id, known.evaluation) as places,
        list({'number': probe.number, 'truth': probe.is_true} order by probe.number, probe.is_true) as probes
    from assessment_value as known
    join criterion_probe as probe
        on probe.variable = known.variable
        and (
            (known.low is null and known.truth is null)
            or (
                known.low < known.high
                and (probe.number > known.low or (probe.number = known.low and known.has_low))
                and (probe.number < known.high or (probe.number = known.high and known.has_high))
            )
        )
    where exists (
        select 1
        from possible
        where possible.person_id = known.person_id and possible.evaluation = known.evaluation
    )
    group by known.person_id, known.evaluation, known.variable
),

combination as (
    select first.person_id, first.evaluation, first.variables, first.chosen
    from (
        select
            one.person_id,
            one.evaluation,
            list_filter([one.variable, two.variable, three.variable], lambda v: v is not null) as variables,
            list_filter([one.probe, two.probe, three.probe], lambda p: p is not null) as chosen
        from (select *, unnest(probes) as probe from undecided where place = 1 and places <= 3) as one
        left join (select *, unnest(probes) as probe from undecided where place = 2) as two
            on two.person_id = one.person_id and two.evaluation = one.evaluation
        left join (select *, unnest(probes) as probe from undecided where place = 3) as three
            on three.person_id = one.person_id and three.evaluation = one.evaluation
    ) as first
),

numbered as (
    select *, row_number() over (partition by person_id, evaluation order by chosen) as trial
    from combination
)

select
    person_id,
    evaluation,
    trial,
    variable,
    probe.number as low,
    probe.number as high,
    true as has_low,
    true as has_high,
    probe.truth
from (
    select person_id, evaluation, trial, unnest(variables) as variable, unnest(chosen) as probe
    from numbered
)
