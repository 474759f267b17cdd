-- One row per dated event that the protocol names by a codelist, or that every study has, at or before the cut-off.

with done as (
    select
        record.person_id,
        record.site,
        event_rule.event,
        record.performed_first as first_day,
        record.performed_last as last_day,
        source_of(record) as source
    from procedure as record
    cross join setting
    join event_rule on event_rule.codelist = record.codelist and event_rule.kind = 'procedure'
    where record.study = setting.study and record.is_counted
),

diagnosed as (
    select
        record.person_id,
        record.site,
        event_rule.event,
        coalesce(record.onset_first, record.recorded_first) as first_day,
        case when record.onset_first is null then record.recorded_last else record.onset_last end as last_day,
        source_of(record) as source
    from diagnosis as record
    cross join setting
    join event_rule on event_rule.codelist = record.codelist and event_rule.kind = 'diagnosis'
    where record.study = setting.study and record.is_counted
),

drug as (
    select record.person_id, record.site, event_rule.event, record.dosed_on, record.is_imputed, record.source
    from drug_record as record
    join event_rule on event_rule.codelist = record.codelist and event_rule.kind = 'drug'
),

new_therapy as (
    select other_dose.person_id, other_dose.site, 'new_therapy', dosed_on, is_imputed, other_dose.source
    from other_dose
    cross join setting
    join treated on treated.person_id = other_dose.person_id
    where dosed_on > last_dose_on + setting.combination_days_after
),

partial as (
    from done union all from diagnosed
)

select
    partial.person_id,
    partial.site,
    partial.event,
    imputed_day(first_day, last_day, treated.impute, treated.birth_first, treated.last_possible_day) as event_on,
    first_day < last_day as is_imputed,
    partial.source
from partial
join treated on treated.person_id = partial.person_id
where first_day <= treated.data_cutoff
union all
select drug.* from drug semi join treated on treated.person_id = drug.person_id
union all
from new_therapy
