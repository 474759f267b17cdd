-- The MedicationAdministration view as a person would write it: one row per coding of the drug and of the route.
-- What only R5 has is empty: the lines are R4.

with line as (
    select *
    from read_json(
        getvariable('file'),
        format = 'newline_delimited',
        columns = {
            id: 'VARCHAR',
            status: 'VARCHAR',
            subject: 'STRUCT(reference VARCHAR, type VARCHAR, identifier STRUCT(system VARCHAR, value VARCHAR))',
            "medicationReference":
                'STRUCT(reference VARCHAR, type VARCHAR, identifier STRUCT(system VARCHAR, value VARCHAR))',
            "medicationCodeableConcept": 'STRUCT(coding STRUCT(system VARCHAR, code VARCHAR, display VARCHAR)[])',
            "effectiveDateTime": 'VARCHAR',
            "effectivePeriod": 'STRUCT(start VARCHAR, "end" VARCHAR)',
            dosage: 'STRUCT(
                dose STRUCT(value DOUBLE, unit VARCHAR),
                route STRUCT(coding STRUCT(system VARCHAR, code VARCHAR)[]))'
        }
    )
),

given as (
    select
        id,
        status,
        reference_key(
            subject.reference, subject.type, subject.identifier.system, subject.identifier.value,
            'MedicationAdministration/' || id
        ) as patient_key,
        reference_key(
            "medicationReference".reference, "medicationReference".type,
            "medicationReference".identifier.system, "medicationReference".identifier.value,
            'MedicationAdministration/' || id
        ) as medication_key,
        "effectiveDateTime" as effective_datetime,
        "effectivePeriod".start as effective_period_start,
        "effectivePeriod"."end" as effective_period_end,
        dosage.dose.value as dose_value,
        dosage.dose.unit as dose_unit,
        case
            when len("medicationCodeableConcept".coding) > 0 then "medicationCodeableConcept".coding else [null]
        end as drugs,
        case when len(dosage.route.coding) > 0 then dosage.route.coding else [null] end as routes
    from line
),

coded as (
    select
        * exclude (drugs),
        unnest(drugs) as drug
    from given
),

routed as (
    select
        * exclude (routes),
        unnest(routes) as route
    from coded
)

select
    id,
    status,
    patient_key,
    medication_key,
    null::varchar as medication_key_r5,
    effective_datetime,
    effective_period_start,
    effective_period_end,
    null::varchar as occurrence_datetime,
    null::varchar as occurrence_period_start,
    null::varchar as occurrence_period_end,
    dose_value,
    dose_unit,
    drug.system as code_system,
    drug.code as code_code,
    drug.display as code_display,
    null::varchar as concept_system,
    null::varchar as concept_code,
    null::varchar as concept_display,
    route.system as route_system,
    route.code as route_code
from routed
