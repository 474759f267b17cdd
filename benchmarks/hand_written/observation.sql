-- The Observation view as a person would write it for speed: one row per coding of the Observation's value
-- (component 0) and of each of its components.

with line as (
    select *
    from read_json(
        getvariable('file'),
        format = 'newline_delimited',
        columns = {
            id: 'VARCHAR',
            status: 'VARCHAR',
            subject: 'STRUCT(reference VARCHAR, type VARCHAR, identifier STRUCT(system VARCHAR, value VARCHAR))',
            "effectiveDateTime": 'VARCHAR',
            "effectivePeriod": 'STRUCT(start VARCHAR, "end" VARCHAR)',
            "effectiveInstant": 'VARCHAR',
            code: 'STRUCT(coding STRUCT(system VARCHAR, code VARCHAR, display VARCHAR)[])',
            "valueQuantity": 'STRUCT(value DOUBLE, comparator VARCHAR, unit VARCHAR, code VARCHAR, system VARCHAR)',
            "valueString": 'VARCHAR',
            "valueInteger": 'INTEGER',
            "valueBoolean": 'BOOLEAN',
            "valueCodeableConcept": 'STRUCT(coding STRUCT(system VARCHAR, code VARCHAR)[])',
            "dataAbsentReason": 'STRUCT(coding STRUCT(code VARCHAR)[])',
            "referenceRange": 'STRUCT(
                type STRUCT(coding STRUCT(code VARCHAR)[]),
                low STRUCT(value DOUBLE, unit VARCHAR, code VARCHAR),
                high STRUCT(value DOUBLE, unit VARCHAR, code VARCHAR))[]',
            component: 'STRUCT(
                code STRUCT(coding STRUCT(system VARCHAR, code VARCHAR, display VARCHAR)[]),
                "valueQuantity" STRUCT(value DOUBLE, comparator VARCHAR, unit VARCHAR, code VARCHAR, system VARCHAR),
                "valueString" VARCHAR,
                "valueInteger" INTEGER,
                "valueBoolean" BOOLEAN,
                "valueCodeableConcept" STRUCT(coding STRUCT(system VARCHAR, code VARCHAR)[]),
                "dataAbsentReason" STRUCT(coding STRUCT(code VARCHAR)[]),
                "referenceRange" STRUCT(
                    type STRUCT(coding STRUCT(code VARCHAR)[]),
                    low STRUCT(value DOUBLE, unit VARCHAR, code VARCHAR),
                    high STRUCT(value DOUBLE, unit VARCHAR, code VARCHAR))[])[]'
        }
    )
),

-- The Observation's own value and those of its components, in one shape, so that the lines are read once.
part as (
    select
        id,
        status,
        reference_key(
            subject.reference, subject.type, subject.identifier.system, subject.identifier.value,
            'Observation/' || id
        ) as patient_key,
        "effectiveDateTime" as effective_datetime,
        "effectivePeriod".start as effective_period_start,
        "effectivePeriod"."end" as effective_period_end,
        "effectiveInstant" as effective_instant,
        unnest(range(0, 1 + coalesce(len(component), 0)))::integer as component,
        unnest(list_concat(
            [{
                codes: code.coding,
                value_number: "valueQuantity".value,
                value_comparator: "valueQuantity".comparator,
                value_unit: "valueQuantity".unit,
                value_unit_code: "valueQuantity".code,
                value_unit_system: "valueQuantity".system,
                value_string: "valueString",
                value_integer: "valueInteger",
                value_boolean: "valueBoolean",
                answers: "valueCodeableConcept".coding,
                absent: "dataAbsentReason".coding,
                ranges: "referenceRange"
            }],
            list_transform(component, lambda c: {
                codes: c.code.coding,
                value_number: c."valueQuantity".value,
                value_comparator: c."valueQuantity".comparator,
                value_unit: c."valueQuantity".unit,
                value_unit_code: c."valueQuantity".code,
                value_unit_system: c."valueQuantity".system,
                value_string: c."valueString",
                value_integer: c."valueInteger",
                value_boolean: c."valueBoolean",
                answers: c."valueCodeableConcept".coding,
                absent: c."dataAbsentReason".coding,
                ranges: c."referenceRange"
            })
        )) as p
    from line
),

measured as (
    select
        * exclude (p),
        p.value_number,
        p.value_comparator,
        p.value_unit,
        p.value_unit_code,
        p.value_unit_system,
        case
            when regexp_matches(
                p.value_string,
                '(?i)^[[:space:]]*(<=|>=|<|>|≤|≥|less than or equal to|less than|fewer than|below|under|at most|up to'
                || '|greater than or equal to|greater than|more than|above|over|at least)?'
                || '[[:space:]]*[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)[[:space:]]*$'
            ) then p.value_string
        end as value_string,
        p.value_string is not null as has_text,
        p.value_integer,
        p.value_boolean,
        list_filter(p.absent, lambda c: c.code is not null)[1].code as data_absent_reason,
        list_filter(
            p.ranges,
            lambda r: r.type is null or list_contains(list_transform(r.type.coding, lambda c: c.code), 'normal')
        )[1] as normal,
        case when len(p.codes) > 0 then p.codes else [null] end as codes,
        case when len(p.answers) > 0 then p.answers else [null] end as answers
    from part
),

coded as (
    select
        * exclude (codes),
        unnest(codes) as code
    from measured
),

answered as (
    select
        * exclude (answers),
        unnest(answers) as value
    from coded
)

select
    id,
    status,
    patient_key,
    effective_datetime,
    effective_period_start,
    effective_period_end,
    effective_instant,
    component,
    value_number,
    value_comparator,
    value_unit,
    value_unit_code,
    value_unit_system,
    value_string,
    has_text,
    value_integer,
    value_boolean,
    data_absent_reason,
    normal.low.value as low_value,
    normal.low.unit as low_unit,
    normal.low.code as low_unit_code,
    normal.high.value as high_value,
    normal.high.unit as high_unit,
    normal.high.code as high_unit_code,
    code.system as code_system,
    code.code as code_code,
    code.display as code_display,
    value.system as value_system,
    value.code as value_code
from answered
