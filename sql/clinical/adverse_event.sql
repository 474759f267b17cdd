-- One row per adverse event: a current AdverseEvent, or a Condition whose category says that it is one.

with event as (
    select
        'AdverseEvent' as kind,
        site,
        resource_key,
        any_value(resource_type) as resource_type,
        any_value(resource_id) as resource_id,
        any_value(resource_version) as resource_version,
        any_value(file) as file,
        any_value(line) as line,
        any_value(patient_key) as patient_key,
        any_value(coalesce(occurrence_datetime, occurrence_period_start, date)) as onset,
        any_value(occurrence_period_end) as ended,
        any_value(coalesce(plain_text(event_text), plain_text(code_text))) as term,
        any_value(severity_code) as severity,
        -- Only R5 has a status; a potential event happened to nobody.
        coalesce(any_value(status) <> 'entered-in-error', true)
            and coalesce(any_value(actuality) <> 'potential', true) as is_counted
    from current.adverse_event
    group by site, resource_key
),

-- A Condition is in `diagnosis` once for each codelist.
condition as (
    select distinct on (site, resource_key) *
    from diagnosis
    where list_contains(categories, 'urn:cove:condition-category|adverse-event')
    order by site, resource_key, study, codelist, concept
),

both_kinds as (
    select
        event.kind,
        patient_alias.person_id,
        event.is_counted,
        event.onset,
        event.ended,
        event.term,
        event.severity,
        event.site,
        event.resource_type,
        event.resource_id,
        event.resource_version,
        event.file,
        event.line,
        event.resource_key
    from event
    left join patient_alias on patient_alias.site = event.site and patient_alias.patient_key = event.patient_key
    union all by name
    select
        'Condition' as kind,
        person_id,
        is_counted,
        onset_text as onset,
        abatement_text as ended,
        plain_text(code_text) as term,
        severity_code as severity,
        site, resource_type, resource_id, resource_version, file, line, resource_key
    from condition
),

extension as (
    select * from current.adverse_event_extension
    union all by name
    select * from current.condition_extension
),

-- The highest grade, where an event has several.
graded as (
    select
        site,
        resource_key,
        max(case
            when ends_with(url, '/severity-or-grade') or ends_with(url, '/ae-grade')
                then try_cast(regexp_extract(coalesce(value_coding_code, coding_code), '^[1-5]$') as integer)
        end) as grade,
        coalesce(bool_or(
            ends_with(url, '/caused-subject-to-discontinue-study') and value_boolean
        ), false) as led_to_discontinuation
    from extension
    group by site, resource_key
),

-- One name for a PT, however sites write it: the one most written.
pt_name as (
    select code, first(display order by times desc, display) as display
    from (
        select code, display, count(*) as times
        from adverse_event_coding
        where element = 'event' and system = 'https://www.meddra.org' and display is not null
        group by code, display
    )
    group by code
),

coding as (
    select
        coding.site,
        coding.resource_key,
        -- MedDRA: one of the 27 SOC codes is the SOC, another code is the PT.
        min(coding.code) filter (where soc.code is not null) as soc_code,
        min(coding.code) filter (where coding.system = 'https://www.meddra.org' and soc.code is null) as pt_code,
        min(coding.display) filter (where soc.code is null) as display,
        list_sort(list(
            struct_pack(system := coding.system, code := coding.code, display := coding.display)
        ) filter (where coding.element = 'event')) as codes,
        coalesce(bool_or(
            coding.element = 'seriousness' and starts_with(lower(coding.code), 'serious')
        ), false) as is_serious,
        coalesce(bool_or(
            coding.element = 'outcome' and (lower(coding.code) = 'fatal' or coding.code = 'C48275')
        ), false) as is_fatal
    from adverse_event_coding as coding
    left join soc
        on coding.element = 'event'
        and coding.system = 'https://www.meddra.org'
        and soc.code = coding.code
    group by coding.site, coding.resource_key
)

select
    both_kinds.person_id,
    both_kinds.is_counted,
    both_kinds.kind,
    both_kinds.onset as onset_text,
    date_on(placed(both_kinds.onset, both_kinds.site)) as onset_on,
    instant_at(placed(both_kinds.onset, both_kinds.site)) as onset_at,
    date_precision(placed(both_kinds.onset, both_kinds.site)) as onset_precision,
    date_first(placed(both_kinds.onset, both_kinds.site)) as onset_first,
    date_last(placed(both_kinds.onset, both_kinds.site)) as onset_last,
    both_kinds.ended as ended_text,
    date_on(placed(both_kinds.ended, both_kinds.site)) as ended_on,
    instant_at(placed(both_kinds.ended, both_kinds.site)) as ended_at,
    date_precision(placed(both_kinds.ended, both_kinds.site)) as ended_precision,
    date_first(placed(both_kinds.ended, both_kinds.site)) as ended_first,
    date_last(placed(both_kinds.ended, both_kinds.site)) as ended_last,
    coding.soc_code,
    coding.pt_code,
    case
        when coding.pt_code is not null then coalesce(pt_name.display, both_kinds.term, plain_text(coding.pt_code))
    end as pt_display,
    coalesce(both_kinds.term, pt_name.display, coding.display) as term,
    coalesce(coding.codes, []) as codes,
    graded.grade,
    both_kinds.severity,
    coalesce(coding.is_serious, false) as is_serious,
    coalesce(coding.is_fatal, false) or coalesce(graded.grade = 5, false) as is_fatal,
    coalesce(graded.led_to_discontinuation, false) as led_to_discontinuation,
    both_kinds.site,
    both_kinds.resource_type,
    both_kinds.resource_id,
    both_kinds.resource_version,
    both_kinds.file,
    both_kinds.line,
    both_kinds.resource_key
from both_kinds
left join graded on graded.site = both_kinds.site and graded.resource_key = both_kinds.resource_key
left join coding on coding.site = both_kinds.site and coding.resource_key = both_kinds.resource_key
left join pt_name on pt_name.code = coding.pt_code
