-- One row per record that tells an event of the protocol, or one that every study has, at or before the cut-off.

with done as (
    select
        record.person_id,
        record.site,
        sign.event,
        sign.position,
        record.performed_first as first_day,
        record.performed_last as last_day,
        record.resource_key
    from procedure as record
    cross join setting
    join event_sign as sign on sign.codelist = record.codelist and sign.kind = 'procedure'
    where record.study = setting.study and record.is_counted
),

diagnosed as (
    select
        record.person_id,
        record.site,
        sign.event,
        sign.position,
        coalesce(record.onset_first, record.recorded_first) as first_day,
        case when record.onset_first is null then record.recorded_last else record.onset_last end as last_day,
        record.resource_key
    from diagnosis as record
    cross join setting
    join event_sign as sign on sign.codelist = record.codelist and sign.kind = 'diagnosis'
    where record.study = setting.study
        and record.is_counted
        and (len(sign.clinical_statuses) = 0 or list_has_any(record.clinical_statuses, sign.clinical_statuses))
),

partial as (
    from done union all from diagnosed
),

dated as (
    select
        partial.person_id,
        partial.site,
        partial.event,
        partial.position,
        imputed_day(
            first_day, last_day, setting.impute, treated.birth_first, treated.last_possible_day, treated.data_cutoff
        ) as event_on,
        first_day < last_day as is_imputed,
        partial.resource_key
    from partial
    cross join setting
    join treated on treated.person_id = partial.person_id
    where first_day <= treated.data_cutoff
),

drug as (
    select record.person_id, record.site, sign.event, sign.position, record.dosed_on, record.is_imputed, record.resource_key
    from drug_record as record
    join event_sign as sign on sign.codelist = record.codelist and sign.kind = 'drug'
    semi join treated on treated.person_id = record.person_id
),

new_therapy as (
    select other_dose.person_id, other_dose.site, 'new_therapy', 0, dosed_on, is_imputed, other_dose.resource_key
    from other_dose
    cross join setting
    join treated on treated.person_id = other_dose.person_id
    where dosed_on > last_dose_on + setting.combination_days_after
),

measured as (
    select *, 'observation' as kind, null::bigint as evaluation
    from observed_value
    union all by name
    select *, 'evaluation' as kind
    from evaluation
),

values_listed as (
    select codelist.codelist, list(system || '|' || code) as keys
    from codelist
    where codelist.codelist in (select value_codelist from event_sign)
    group by codelist.codelist
),

-- Of two numbers of a kind at one time the higher counts, then the later id.
listed as (
    select measured.*, sign
    from measured
    cross join setting
    join event_sign as sign
        on sign.kind = measured.kind and coalesce(sign.codelist, setting.assessment_codelist) = measured.codelist
    qualify measured.value is null or row_number() over (
        partition by measured.person_id, sign.event, sign.position, measured.measured_on, measured.measured_at
        order by measured.value desc nulls last, measured.resource_key desc
    ) = 1
),

observed as (
    select value.person_id, value.site, sign.event, sign.position, value.measured_on, value.is_imputed, value.resource_key
    from listed as value
    left join baseline on baseline.person_id = value.person_id and baseline.codelist = value.codelist
    left join values_listed on values_listed.codelist = sign.value_codelist
    where (sign.above is null or is_above(value.low, value.high, value.has_low, value.has_high, sign.above))
        and (sign.at_least is null or is_at_least(value.low, value.high, value.has_low, value.has_high, sign.at_least))
        and (sign.below is null or is_below(value.low, value.high, value.has_low, value.has_high, sign.below))
        and (sign.at_most is null or is_at_most(value.low, value.high, value.has_low, value.has_high, sign.at_most))
        -- To nine decimals: a factor of a decimal number may fall beside it in binary.
        and (
            sign.at_most_of_baseline is null
            or round(value.high, 9) <= round(sign.at_most_of_baseline * baseline.low, 9)
        )
        and (
            sign.at_least_of_baseline is null
            or round(value.low, 9) >= round(sign.at_least_of_baseline * baseline.high, 9)
        )
        and (sign.expected is null or value.truth = sign.expected)
        and (
            sign.value_codelist is null
            or list_has_any(list_transform(value.value_codes, lambda c: c.system || '|' || c.code), values_listed.keys)
        )
),

event_code as (
    select sign.event, sign.position, null as site, list.system, list.code
    from event_sign as sign
    join codelist as list on list.codelist = sign.codelist
    where sign.kind = 'adverse_event'
    union
    select sign.event, sign.position, mapped.site, mapped.system, mapped.code
    from event_sign as sign
    cross join setting
    join clinical.code as mapped on mapped.study = setting.study and mapped.codelist = sign.codelist
    where sign.kind = 'adverse_event'
),

adverse as (
    select
        record.person_id,
        record.site,
        sign.event,
        sign.position,
        record.onset_on,
        coalesce(record.is_onset_imputed, false),
        record.resource_key
    from adverse_event_all as record
    join event_sign as sign on sign.kind = 'adverse_event'
    where record.onset_on is not null
        and (sign.grade_at_least is null or record.grade >= sign.grade_at_least)
        and (sign.serious is null or record.is_serious = sign.serious)
        and (
            sign.codelist is null
            or exists (
                select 1
                from event_code
                where event_code.event = sign.event
                    and event_code.position = sign.position
                    and coalesce(event_code.site = record.site, true)
                    and list_contains(
                        list_transform(record.codes, lambda c: c.system || '|' || c.code),
                        event_code.system || '|' || event_code.code
                    )
            )
        )
)

from dated
union all from drug
union all from new_therapy
union all from observed
union all from adverse
