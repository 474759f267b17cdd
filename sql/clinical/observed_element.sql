-- One row per Observation's own value (component 0) and per component, with what was written as its value.

with element as (
    select
        site,
        resource_key,
        component,
        any_value(columns(* exclude (
            site, resource_key, component, code_system, code_code, code_display, value_system, value_code
        )))
    from current.observation
    group by site, resource_key, component
),

-- Text counts only where it reads as a number, with or without a comparator.
read as (
    select
        *,
        regexp_extract(
            lower(trim(value_string)),
            '^(<=|>=|<|>|≤|≥|less than or equal to|less than|greater than or equal to|greater than|more than|at most|at least)?\s*([+-]?\d+(?:\.\d+)?)$',
            ['comparator', 'number']
        ) as said
    from element
)

select
    * exclude (said, value_comparator),
    case
        when value_number is not null then value_number::varchar
        when value_integer is not null then value_integer::varchar
        when said.number <> '' then try_cast(said.number as double)::varchar
    end as number_text,
    value_number is not null as is_quantity,
    case
        when value_number is not null then value_comparator
        when value_integer is null and said.number <> '' then
            case
                when said.comparator in ('<', 'less than') then '<'
                when said.comparator in ('<=', '≤', 'less than or equal to', 'at most') then '<='
                when said.comparator in ('>', 'greater than', 'more than') then '>'
                when said.comparator in ('>=', '≥', 'greater than or equal to', 'at least') then '>='
            end
    end as comparator,
    coalesce(effective_datetime, effective_period_start, effective_instant) as measured
from read
