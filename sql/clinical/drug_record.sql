-- One row per coding of a current administration, dispensing, statement or order, with its level of evidence.

with record as (
    select
        'administered' as evidence_level,
        coalesce(effective_datetime, effective_period_start, occurrence_datetime, occurrence_period_start) as exposed_text,
        coalesce(effective_period_end, occurrence_period_end) as ended_text,
        status,
        coalesce(status in ('completed', 'in-progress', 'stopped'), false) as is_counted,
        dose_value,
        dose_unit,
        patient_key,
        coalesce(medication_key, medication_key_r5) as medication_key,
        has_medication_reference,
        code_system, code_code, code_display, concept_system, concept_code, concept_display,
        route_system, route_code,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from current.medication_administration
    union all by name
    select
        'dispensed' as evidence_level,
        when_handed_over as exposed_text,
        status,
        coalesce(status in ('completed', 'in-progress'), false) as is_counted,
        patient_key,
        coalesce(medication_key, medication_key_r5) as medication_key,
        has_medication_reference,
        code_system, code_code, code_display, concept_system, concept_code, concept_display,
        route_system, route_code,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from current.medication_dispense
    union all by name
    select
        'stated' as evidence_level,
        coalesce(effective_datetime, effective_period_start) as exposed_text,
        effective_period_end as ended_text,
        status,
        coalesce(status in ('active', 'completed', 'recorded'), false) as is_counted,
        patient_key,
        coalesce(medication_key, medication_key_r5) as medication_key,
        has_medication_reference,
        code_system, code_code, code_display, concept_system, concept_code, concept_display,
        route_system, route_code,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from current.medication_statement
    union all by name
    select
        'ordered' as evidence_level,
        authored_on as exposed_text,
        status,
        coalesce(status in ('active', 'completed'), false)
            and coalesce(intent = 'order', true)
            and not coalesce(do_not_perform, false) as is_counted,
        patient_key,
        coalesce(medication_key, medication_key_r5) as medication_key,
        has_medication_reference,
        code_system, code_code, code_display, concept_system, concept_code, concept_display,
        route_system, route_code,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from current.medication_request
)

select * from record
