-- One row per assessment, trial and variable. Trial 0 is what was observed; in each other trial the values that aren't
-- known (three at most) are replaced by one that they might have been, so that what is certain can be told.

-- Only where a remission isn't ruled out by what is known can there be one for certain.
with possible as (
    select value.person_id, value.evaluation, rule.criterion
    from assessment_value as value
    join criterion_condition as rule on rule.variable = value.variable and rule.part = 'all'
    join response_level on response_level.response = rule.response and response_level.is_remission
    group by value.person_id, value.evaluation, rule.criterion
    having bool_and(coalesce(fulfils(value, rule), true))
),

undecided as (
    select
        value.person_id,
        value.evaluation,
        value.variable,
        row_number() over (partition by value.person_id, value.evaluation order by value.variable) as place,
        count(*) over (partition by value.person_id, value.evaluation) as places,
        list({'number': probe.number, 'truth': probe.is_true} order by probe.number, probe.is_true) as probes
    from assessment_value as value
    join criterion_probe as probe
        on probe.variable = value.variable
        and (
            (value.low is null and value.truth is null)
            or (
                value.low < value.high
                and (probe.number > value.low or (probe.number = value.low and value.has_low))
                and (probe.number < value.high or (probe.number = value.high and value.has_high))
            )
        )
    where exists (
        select 1
        from possible
        where possible.person_id = value.person_id and possible.evaluation = value.evaluation
    )
    group by value.person_id, value.evaluation, value.variable
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
),

replaced as (
    select
        numbered.person_id,
        numbered.evaluation,
        numbered.trial,
        value.variable,
        list_position(numbered.variables, value.variable) as place,
        value,
        numbered.chosen
    from numbered
    join assessment_value as value
        on value.person_id = numbered.person_id and value.evaluation = numbered.evaluation
)

select person_id, evaluation, 0 as trial, variable, low, high, has_low, has_high, truth
from assessment_value
union all
select
    person_id,
    evaluation,
    trial,
    variable,
    case when place is null then value.low else chosen[place].number end,
    case when place is null then value.high else chosen[place].number end,
    case when place is null then value.has_low else true end,
    case when place is null then value.has_high else true end,
    case when place is null then value.truth else chosen[place].truth end
from replaced
