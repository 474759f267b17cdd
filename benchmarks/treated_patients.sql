-- Fills the empty tables of `clinical` with simulated persons for the reference study. What is drawn depends on the
-- variables `seed` and `persons` alone: doses, marrow evaluations with counts, transplants, adverse events, laboratory
-- values, deaths and contacts at 20 sites; 1 in 20 persons is diagnosed and never treated.

create or replace temp macro draw(person, what, number) as
    (hash(getvariable('seed'), person, what, number) % 1000000007)::double / 1000000007;

create temp table patient as
with drawn as (
    select
        person,
        'Patient/' || person as patient_key,
        md5(getvariable('seed') || ' ' || person)[:16] as person_id,
        'site ' || lpad((1 + floor(20 * draw(person, 'site', 0)))::integer::varchar, 2, '0') as site,
        date '2012-01-01' + (2900 * draw(person, 'index', 0))::integer as index_date,
        draw(person, 'treated', 0) < 0.95 as is_treated,
        draw(person, 'remission', 0) < 0.45 as is_remitted,
        draw(person, 'hsct', 0) < 0.5 as is_transplanted,
        60 + (80 * draw(person, 'hsct', 1))::integer as hsct_day,
        draw(person, 'dies', 0) as dies,
        60 + (2000 * draw(person, 'follow-up', 0))::integer as follow_up
    from (select unnest(range(getvariable('persons')::bigint)) as person)
)

select
    *,
    -- Half as many die a day after a remission; 0 days are possible.
    floor(-ln(1 - dies) * case when is_remitted then 900 else 450 end)::integer as death_day
from drawn;

create temp table followed as
select
    *,
    least(death_day, follow_up) as last_day,
    death_day <= follow_up as is_dead
from patient;

create temp table dose as
select person, person_id, site, index_date, number, index_date + 28 * (number // 5) + number % 5 as dosed_on
from followed
cross join (select unnest(range(10))::integer as number)
where is_treated
    and 28 * (number // 5) + number % 5 <= last_day
    and (number < 5 or draw(person, 'second cycle', 0) < 0.6);

create temp table visit as
select person, person_id, site, index_date, is_remitted, number, day, index_date + day as visited_on
from (
    select *, case when number = 0 then -2 else 7 * number + floor(6 * draw(person, 'visit', number))::integer end as day
    from followed
    cross join (select unnest(range(9))::integer as number)
    where is_treated
)
where day <= last_day;

insert into clinical.person by name
select
    person_id,
    patient_key,
    if(draw(person, 'sex', 0) < 0.6, 'male', 'female') as sex,
    index_date - 400 - (7000 * draw(person, 'age', 0))::integer as birth_on,
    birth_on as birth_first,
    birth_on as birth_last,
    birth_on::varchar as birth_text,
    'day' as birth_precision,
    site,
    'Patient' as resource_type,
    person::varchar as resource_id,
    md5(site) as file,
    person as line,
    patient_key as resource_key
from patient;

insert into clinical.diagnosis by name
select
    'clofarabine' as study,
    codelist,
    codelist as concept,
    person_id,
    index_date - 300 as onset_on,
    onset_on as onset_first,
    onset_on as onset_last,
    onset_on::varchar as onset_text,
    'day' as onset_precision,
    true as is_counted,
    ['active'] as clinical_statuses,
    ['confirmed'] as verification_statuses,
    site,
    'Condition' as resource_type,
    person || '-' || codelist as resource_id,
    md5(site) as file,
    person as line,
    'Condition/' || person || '-' || codelist as resource_key
from patient
cross join (
    select unnest(['diagnosis', 'phenotype_b_cell', 'phenotype_t_cell']) as codelist, unnest([1, 0.65, 0.2]) as share
)
where draw(person, codelist, 1) < share;

create temp table drug (codelist varchar, concept varchar, code varchar, share double);
insert into drug values
    ('index_drug', 'clofarabine', 'L01BB06', 1),
    ('antileukaemic', 'etoposide', 'L01CB01', 0.8),
    ('antileukaemic', 'cyclophosphamide', 'L01AA01', 0.8);

insert into clinical.drug_exposure by name
select
    'clofarabine' as study,
    drug.codelist,
    drug.concept,
    dose.person_id,
    if(draw(dose.person, 'evidence', 0) < 0.8, 'administered', 'ordered') as evidence_level,
    dose.dosed_on as exposed_on,
    dose.dosed_on as exposed_first,
    dose.dosed_on as exposed_last,
    dose.dosed_on::varchar as exposed_text,
    'day' as exposed_precision,
    'completed' as status,
    true as is_counted,
    []::varchar[] as routes,
    dose.site,
    'MedicationAdministration' as resource_type,
    dose.person || '-' || dose.number || '-' || drug.code as resource_id,
    md5(dose.site) as file,
    dose.person as line,
    'MedicationAdministration/' || dose.person || '-' || dose.number || '-' || drug.code as resource_key
from dose
cross join drug
where draw(dose.person, drug.concept, 0) < drug.share;

create temp table test (codelist varchar, unit varchar, low double, high double, normal_low double, normal_high double);
insert into test values
    ('anc', '10*9/L', 0, 6, 1.5, 8), ('platelets', '10*9/L', 5, 300, 150, 400), ('haemoglobin', 'g/L', 60, 150, 120, 160),
    ('leukocytes', '10*9/L', 0, 12, 4, 10), ('alt', 'U/L', 5, 500, 5, 40), ('ast', 'U/L', 5, 500, 5, 40),
    ('bilirubin', 'umol/L', 2, 90, 3, 21), ('creatinine', 'umol/L', 20, 200, 30, 80), ('blood_blasts', '%', 0, 0, null, null),
    ('marrow_blasts', '%', 0, 80, null, null), ('prior_regimens', null, 2, 5, null, null);

create temp table reading as
select
    visit.*,
    test.*,
    case
        when codelist = 'prior_regimens' then round(low + (high - low) * draw(person, codelist, 0))
        when codelist = 'marrow_blasts' and is_remitted and number > 0 then round(4 * draw(person, codelist, number), 1)
        when codelist in ('anc', 'platelets') and is_remitted and number > 3
            then round(high * (0.3 + 0.7 * draw(person, codelist, number)), 2)
        else round(low + (high - low) * draw(person, codelist, number) ** 2, 2)
    end as value
from visit
cross join test
where case
        when codelist = 'prior_regimens' then number = 0
        when codelist in ('marrow_blasts', 'blood_blasts') then number in (0, 4, 6, 8)
        else true
    end;

insert into clinical.measurement by name
select
    'clofarabine' as study,
    codelist,
    codelist as concept,
    0 as component,
    person_id,
    visited_on as measured_on,
    visited_on as measured_first,
    visited_on as measured_last,
    visited_on::varchar as measured_text,
    'day' as measured_precision,
    value,
    value as value_low,
    value as value_high,
    true as low_inclusive,
    true as high_inclusive,
    unit,
    unit as source_unit,
    value::varchar as source_value,
    false as has_unit_problem,
    'final' as status,
    true as is_counted,
    false as is_absent,
    [] as value_codes,
    normal_low as reference_low,
    normal_high as reference_high,
    site,
    'Observation' as resource_type,
    person || '-' || number || '-' || codelist as resource_id,
    md5(site) as file,
    person as line,
    'Observation/' || person || '-' || number || '-' || codelist as resource_key
from reading;

insert into clinical.procedure by name
select
    'clofarabine' as study,
    codelist,
    codelist as concept,
    person_id,
    performed_on,
    performed_on as performed_first,
    performed_on as performed_last,
    performed_on::varchar as performed_text,
    'day' as performed_precision,
    'completed' as status,
    true as is_counted,
    site,
    'Procedure' as resource_type,
    person || '-' || codelist as resource_id,
    md5(site) as file,
    person as line,
    'Procedure/' || person || '-' || codelist as resource_key
from (
    select person, person_id, site, 'hsct' as codelist, index_date + hsct_day as performed_on
    from followed
    where is_treated and is_remitted and is_transplanted and hsct_day <= last_day
    union all
    select person, person_id, site, 'platelet_transfusion', index_date + 10
    from followed
    where is_treated and last_day >= 10 and draw(person, 'transfused', 0) < 0.7
);

create temp table preferred (pt_code varchar, pt_display varchar, soc_code varchar);
insert into preferred
select
    (10090000 + number)::varchar,
    'Event ' || number,
    (select list(code order by code) from clinical.soc)[1 + number % 27]
from (select unnest(range(200))::integer as number);

create temp table event as
select
    person,
    person_id,
    site,
    number,
    index_date - 20 + floor(110 * draw(person, 'onset', number))::integer as onset_on,
    (select list(preferred order by pt_code) from preferred)[
        1 + floor(200 * draw(person, 'term', number) ** 2)::integer
    ] as term,
    1 + floor(4.05 * draw(person, 'grade', number))::integer as grade
from followed
cross join (select unnest(range(4))::integer as number)
where is_treated;

insert into clinical.adverse_event by name
select
    person_id,
    true as is_counted,
    'AdverseEvent' as kind,
    onset_on,
    onset_on as onset_first,
    onset_on as onset_last,
    onset_on::varchar as onset_text,
    'day' as onset_precision,
    term.soc_code as soc_code,
    term.pt_code as pt_code,
    term.pt_display as pt_display,
    term.pt_display as term,
    [
        {'system': 'https://www.meddra.org', 'code': term.soc_code, 'display': null},
        {'system': 'https://www.meddra.org', 'code': term.pt_code, 'display': term.pt_display}
    ] as codes,
    grade,
    draw(person, 'serious', number) < 0.3 as is_serious,
    grade = 5 as is_fatal,
    draw(person, 'discontinued', number) < 0.05 as led_to_discontinuation,
    site,
    'AdverseEvent' as resource_type,
    person || '-' || number as resource_id,
    md5(site) as file,
    person as line,
    'AdverseEvent/' || person || '-' || number as resource_key
from event;

insert into clinical.adverse_event_suspect by name
select
    'AdverseEvent/' || person || '-' || number as resource_key,
    site,
    0 as suspect,
    [{'system': 'http://www.whocc.no/atc', 'code': 'L01BB06'}] as codes,
    draw(person, 'related', number) < 0.6 as is_related,
    true as has_codes
from event;

insert into clinical.death_record by name
select
    'patient' as kind,
    person_id,
    index_date + death_day as died_on,
    died_on as died_first,
    died_on as died_last,
    died_on::varchar as died_text,
    'day' as died_precision,
    site,
    'Patient' as resource_type,
    person::varchar as resource_id,
    md5(site) as file,
    person as line,
    patient_key as resource_key
from followed
where is_dead;

insert into clinical.contact by name
select person_id, 'visit' as kind, index_date + last_day as starts_on, index_date + last_day as ends_on, site,
    'Encounter' as resource_type, person || '-last' as resource_id, md5(site) as file, person as line,
    'Encounter/' || person || '-last' as resource_key
from followed
union all by name
select person_id, 'observation' as kind, measured_on as starts_on, site, resource_type, resource_id, file, line, resource_key
from clinical.measurement
union all by name
select person_id, 'dose' as kind, exposed_on as starts_on, site, resource_type, resource_id, file, line, resource_key
from clinical.drug_exposure
where evidence_level = 'administered'
union all by name
select person_id, 'procedure' as kind, performed_on as starts_on, site, resource_type, resource_id, file, line, resource_key
from clinical.procedure
union all by name
select person_id, 'adverse event' as kind, onset_on as starts_on, site, resource_type, resource_id, file, line, resource_key
from clinical.adverse_event;

insert into quality.resources by name
select distinct
    site, md5(site) as file, 0 as landed, 0 as mapped, 0 as quarantined, 0 as superseded, 0 as not_asked_for
from clinical.person;
