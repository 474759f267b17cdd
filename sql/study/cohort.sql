-- One row per treated person: baseline, exposure, follow-up and death; columns of parts that are off are null.

with diagnosis as (
    select person_id, min(diagnosed_on) as diagnosed_on
    from study_diagnosis
    where is_in_time
    group by person_id
),

combined as (
    select distinct other_dose.person_id
    from other_dose
    cross join setting
    join treated on treated.person_id = other_dose.person_id
    where other_dose.dosed_on between treated.index_date - setting.combination_days_before
        and treated.last_dose_on + setting.combination_days_after
),

item as (
    select
        baseline.person_id,
        -- A value that is only bounded is no number.
        any_value(value) filter (
            where codelist = setting.prior_regimens_codelist and comparator is null
        ) as prior_regimens,
        bool_or(truth) filter (where codelist = setting.refractory_codelist) as is_refractory
    from baseline
    cross join setting
    group by baseline.person_id
),

follow_up as (
    select person_id, arg_max(truth, (measured_on, coalesce(measured_at, '-infinity'::timestamptz), truth)) as is_completed
    from observed_value
    cross join setting
    where codelist = setting.completed_follow_up_codelist and truth is not null
    group by person_id
),

by_event as (
    select later_event.person_id, later_event.event_on
    from later_event
    cross join setting
    where event = setting.survival_by_event
),

after_event as (
    select later_event.person_id
    from later_event
    cross join setting
    where event = setting.death_after_event
),

new_therapy as (
    select person_id, event_on from later_event where event = 'new_therapy'
),

fatal_event as (
    select distinct person_id from teae where is_fatal
    union
    select distinct cause_of_death.person_id
    from cause_of_death
    join teae
        on teae.person_id = cause_of_death.person_id
        and teae.pt_code = cause_of_death.code
        and list_contains(
            list_transform(teae.codes, lambda c: c.system || '|' || c.code),
            cause_of_death.system || '|' || cause_of_death.code
        )
)

select
    treated.person_id,
    treated.site,
    treated.index_date,
    treated.last_dose_on,
    treated.evidence_level,
    treated.doses,
    treated.cycles,
    (treated.last_dose_on - treated.index_date + 1)::integer as exposure_days,
    case
        when setting.combination_codelist is null then null
        when combined.person_id is not null then 'combination'
        else 'monotherapy'
    end as regimen,
    treated.birth_on,
    age_on(treated.birth_first, treated.birth_on, treated.index_date)::integer as age,
    case
        when setting.has_age_at_diagnosis then age_on(treated.birth_first, treated.birth_on, diagnosis.diagnosed_on)
    end::integer as age_at_diagnosis,
    diagnosis.diagnosed_on,
    case when treated.sex in ('male', 'female', 'other') then treated.sex else 'unknown' end as sex,
    case when setting.has_phenotype then coalesce(phenotype.level, 'unknown') end as phenotype,
    case when setting.prior_regimens_codelist is not null then item.prior_regimens end as prior_regimens,
    case
        when setting.refractory_codelist is null then null
        when item.is_refractory then 'yes'
        when not item.is_refractory then 'no'
        else 'missing'
    end as refractory,
    case
        when setting.completed_follow_up_codelist is not null then coalesce(follow_up.is_completed, false)
    end as completed_follow_up,
    by_event.event_on as comparing_event_on,
    case when setting.survival_by_event is not null then by_event.event_on is not null end as has_comparing_event,
    new_therapy.event_on as new_therapy_on,
    death.person_id is not null as is_dead,
    death.death_on,
    death.is_dated as is_death_dated,
    death.kind as death_kind,
    coalesce(death.has_conflict, false) as has_death_conflict,
    case
        when death.person_id is null then null
        when after_event.person_id is not null then 'after_' || setting.death_after_event
        when death.death_on <= treated.last_dose_on + setting.early_death_days then 'within_' || setting.early_death_days || '_days'
        else 'later'
    end as death_class,
    death.person_id is not null and fatal_event.person_id is not null as is_death_due_to_teae,
    last_contact.contact_on as last_contact_on,
    treated.data_cutoff
from treated
cross join setting
left join diagnosis on diagnosis.person_id = treated.person_id
left join combined on combined.person_id = treated.person_id
left join phenotype on phenotype.person_id = treated.person_id
left join item on item.person_id = treated.person_id
left join follow_up on follow_up.person_id = treated.person_id
left join by_event on by_event.person_id = treated.person_id
left join after_event on after_event.person_id = treated.person_id
left join new_therapy on new_therapy.person_id = treated.person_id
left join death on death.person_id = treated.person_id
left join fatal_event on fatal_event.person_id = treated.person_id
left join last_contact on last_contact.person_id = treated.person_id
