-- What the study synthea_naproxen has to find, from the resources alone: one row a person who is treated.
-- `resource` has one row a resource: its type and its JSON.

with medication as (
    select
        json_extract_string(json, '$.subject.reference') as person,
        (json_extract_string(json, '$.authoredOn'))[:10]::date as day,
        json_extract_string(json, '$.medicationCodeableConcept.coding[0].code') as code
    from resource
    where type = 'MedicationRequest'
        and json_extract_string(json, '$.status') in ('active', 'completed')
        and json_extract_string(json, '$.intent') = 'order'
),

condition as (
    select
        json_extract_string(json, '$.subject.reference') as person,
        (json_extract_string(json, '$.onsetDateTime'))[:10]::date as day,
        (json_extract_string(json, '$.recordedDate'))[:10]::date as recorded_on,
        json_extract_string(json, '$.code.coding[0].code') as code
    from resource
    where type = 'Condition' and json_extract_string(json, '$.verificationStatus.coding[0].code') = 'confirmed'
),

first_dose as (
    select person, min(day) as index_date
    from medication
    where code in ('849574', '198014')
    group by person
),

treated as (
    select person, index_date
    from first_dose
    where exists (
        select 1
        from condition
        where condition.person = first_dose.person
            and condition.code in ('239873007', '239872002', '201834006')
            and condition.day <= first_dose.index_date + 30
    )
),

panel as (
    select
        json_extract_string(json, '$.subject.reference') as person,
        (json_extract_string(json, '$.effectiveDateTime'))[:10]::date as day,
        unnest(from_json(json_extract(json, '$.component'), '["json"]')) as part
    from resource
    where type = 'Observation' and json_extract_string(json, '$.code.coding[0].code') = '85354-9' and json_extract_string(json, '$.status') = 'final'
),

pressure as (
    select
        person,
        day,
        max((json_extract_string(part, '$.valueQuantity.value'))::double) filter (where json_extract_string(part, '$.code.coding[0].code') = '8480-6') as systolic,
        max((json_extract_string(part, '$.valueQuantity.value'))::double) filter (where json_extract_string(part, '$.code.coding[0].code') = '8462-4') as diastolic
    from panel
    group by person, day
),

reading as (
    select
        treated.person,
        pressure.day - treated.index_date as day,
        case
            when systolic < 120 and diastolic < 80 then 1
            when systolic < 130 and diastolic < 80 then 2
            when systolic < 140 and diastolic < 90 then 3
            else 4
        end as category
    from treated
    join pressure on pressure.person = treated.person and pressure.day > treated.index_date
),

contact as (
    select json_extract_string(json, '$.subject.reference') as person, (json_extract_string(json, '$.period.end'))[:10]::date as day
    from resource
    where type = 'Encounter'
    union all
    select json_extract_string(json, '$.subject.reference'), (json_extract_string(json, '$.effectiveDateTime'))[:10]::date
    from resource
    where type = 'Observation'
    union all
    select json_extract_string(json, '$.subject.reference'), coalesce(json_extract_string(json, '$.performedPeriod.start'), json_extract_string(json, '$.performedDateTime'))[:10]::date
    from resource
    where type = 'Procedure'
    union all
    select person, recorded_on
    from condition
),

followed as (
    select contact.person, max(contact.day) - any_value(treated.index_date) as day
    from contact
    join treated on treated.person = contact.person
    group by contact.person
),

diagnosed as (
    select
        treated.person,
        min(condition.day - treated.index_date) filter (where code in (
            '44465007', '70704007', '58150001', '16114001', '65966004', '263102004', '444448004', '307731004', '239720000',
            '283371005', '284549007', '284551006', '283385000'
        )) as injury,
        min(condition.day - treated.index_date) filter (where code in (
            '195662009', '10509002', '444814009', '75498004'
        )) as infection
    from treated
    join condition on condition.person = treated.person and condition.day >= treated.index_date
    group by treated.person
),

judged as (
    select
        person,
        min(category) as best,
        min(day) filter (where category <= 2) as control,
        min(day) filter (where category = 4) as high,
        max(day) as last
    from reading
    group by person
)

select
    treated.person,
    followed.day as followed,
    judged.best,
    judged.control,
    judged.high,
    judged.last,
    diagnosed.injury,
    diagnosed.infection,
    (
        select min(later.day)
        from reading as later
        where later.person = treated.person and later.day > judged.control and later.category >= 3
    ) as lost,
    case
        when coalesce(judged.control > 730, true) and followed.day >= 730 then 730
    end as no_control
from treated
join followed on followed.person = treated.person
left join judged on judged.person = treated.person
left join diagnosed on diagnosed.person = treated.person
order by treated.person
