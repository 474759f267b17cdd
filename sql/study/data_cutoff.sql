-- One row: the day after which nothing counts. Without one given, the latest date among deaths and contacts.

with deaths as (
    select imputed_day(record.died_first, record.died_last, setting.impute, null::date, null::date, null::date) as day
    from death_record as record
    cross join setting
    where record.kind in (select kind from death_source)
        and (record.study is null or record.study = setting.study)
),

contacts as (
    select greatest(starts_on, ends_on) as day
    from contact
),

-- Only orders and statements, no contact: the latest of them stands in.
exposures as (
    select max(exposed_last) as day
    from drug_exposure
)

select coalesce(
    $data_cutoff::date,
    (select max(day) from (from deaths union all from contacts)),
    (select day from exposures)
) as data_cutoff
