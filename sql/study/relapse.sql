-- One row per sign of relapse later than the day of the first remission, at or before the cut-off.

with remitter as (
    select response.person_id, remission_on
    from response
    where response.remission_on is not null
),

marrow as (
    select person_id, site, measured_on as relapse_on, 1 as rank, codelist as sign, source
    from evaluation
    cross join setting
    where is_at_least(low, high, has_low, has_high, setting.relapse_at_least)
),

item as (
    select
        person_id,
        site,
        measured_on,
        case when codelist = setting.extramedullary_codelist then 2 else 3 end,
        codelist,
        source
    from observed_value
    cross join setting
    where truth
        and (
            (codelist = setting.extramedullary_codelist and setting.relapse_extramedullary)
            or codelist = setting.relapse_item_codelist
        )
),

diagnosed as (
    select
        record.person_id,
        record.site,
        imputed_day(
            coalesce(record.onset_first, record.recorded_first),
            case when record.onset_first is null then record.recorded_last else record.onset_last end,
            treated.impute, treated.birth_first, treated.last_possible_day
        ),
        4,
        record.codelist,
        source_of(record)
    from diagnosis as record
    cross join setting
    join treated on treated.person_id = record.person_id
    where record.study = setting.study
        and record.is_counted
        and coalesce(record.onset_first, record.recorded_first) <= treated.data_cutoff
        and (
            record.codelist = setting.relapse_codelist
            or (
                record.codelist = setting.diagnosis_codelist
                and list_has_any(record.clinical_statuses, (select list(status) from relapse_status))
            )
        )
),

sign as (
    from marrow union all from item union all from diagnosed
)

select sign.*
from sign
join remitter on remitter.person_id = sign.person_id
where sign.relapse_on > remitter.remission_on
