-- One row per Observation's own value (component 0) and per component: the number that was written, and its unit.

with coded_twice as (
    select site, resource_key, component
    from observation
    group by site, resource_key, component
    having count(*) > 1
),

-- Rows of one element differ in their codings only. Most have one, and needn't be sorted to be made one.
element as (
    select * exclude (code_system, code_code, code_display, value_system, value_code)
    from observation
    anti join coded_twice using (site, resource_key, component)
    union all
    select distinct * exclude (code_system, code_code, code_display, value_system, value_code)
    from observation
    semi join coded_twice using (site, resource_key, component)
),

-- The view lets text pass only where it reads as a number, with or without a comparator.
read as (
    select
        *,
        regexp_extract(
            lower(trim(value_string, e' \t\r\n')),
            '^(<=|>=|<|>|≤|≥|less than or equal to|less than|fewer than|below|under|at most|up to'
            '|greater than or equal to|greater than|more than|above|over|at least)?'
            '\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))$',
            ['comparator', 'number']
        ) as said
    from element
),

-- A limit of the reference range without a unit is in the value's.
limited as (
    select
        *,
        coalesce(nullif(low_unit_code, ''), nullif(low_unit, '')) is not null as has_low_unit,
        coalesce(nullif(high_unit_code, ''), nullif(high_unit, '')) is not null as has_high_unit
    from read
)

select
    site,
    resource_key,
    component,
    status,
    patient_key,
    coalesce(effective_datetime, effective_period_start, effective_instant, effective_period_end) as measured,
    case
        when value_number is not null then value_number::varchar
        when value_integer is not null then value_integer::varchar
        when said.number <> '' then try_cast(said.number as double)::varchar
    end as number_text,
    case
        when value_number is not null then value_comparator
        when value_integer is null and said.number <> '' then
            case
                when said.comparator in ('<', 'less than', 'fewer than', 'below', 'under') then '<'
                when said.comparator in ('<=', '≤', 'less than or equal to', 'at most', 'up to') then '<='
                when said.comparator in ('>', 'greater than', 'more than', 'above', 'over') then '>'
                when said.comparator in ('>=', '≥', 'greater than or equal to', 'at least') then '>='
            end
    end as comparator,
    case when value_number is not null then coalesce(value_unit_code, '') else '' end as unit_code,
    case when value_number is not null then coalesce(value_unit, '') else '' end as unit_text,
    low_value::varchar as low_text,
    coalesce(case when has_low_unit then low_unit_code else value_unit_code end, '') as low_unit_code,
    coalesce(case when has_low_unit then low_unit else value_unit end, '') as low_unit_text,
    high_value::varchar as high_text,
    coalesce(case when has_high_unit then high_unit_code else value_unit_code end, '') as high_unit_code,
    coalesce(case when has_high_unit then high_unit else value_unit end, '') as high_unit_text,
    value_boolean,
    data_absent_reason is not null as is_absent,
    has_text,
    value_string is not null as is_text_read,
    resource_type,
    resource_id,
    resource_version,
    file,
    line
from limited
