-- One row per adverse event of a treated person, with whether it is treatment-emergent; each is judged by its own onset.

with index_code as (
    select site, system, code
    from clinical.code as mapped
    cross join setting
    where mapped.study = setting.study and mapped.codelist = setting.index_codelist
),

index_list as (
    select system, code
    from codelist
    cross join setting
    where codelist.codelist = setting.index_codelist
),

suspect_code as (
    select resource_key, site, suspect, unnest(codes) as coding
    from adverse_event_suspect
    where is_related
),

index_suspect as (
    select distinct suspect_code.resource_key, suspect_code.site, suspect_code.suspect
    from suspect_code
    left join index_code
        on index_code.site = suspect_code.site
        and index_code.system = suspect_code.coding.system
        and index_code.code = suspect_code.coding.code
    left join index_list
        on index_list.system = suspect_code.coding.system and index_list.code = suspect_code.coding.code
    where index_code.code is not null or index_list.code is not null
),

-- A suspect that isn't coded as another drug counts as the index drug.
related as (
    select distinct suspect.resource_key, suspect.site
    from adverse_event_suspect as suspect
    left join index_suspect
        on index_suspect.resource_key = suspect.resource_key
        and index_suspect.site = suspect.site
        and index_suspect.suspect = suspect.suspect
    where suspect.is_related and (not suspect.has_codes or index_suspect.suspect is not null)
),

judged as (
    select
        event.*,
        treated.index_date,
        -- The days that the onset could have been; an event began by its end.
        least(event.onset_last, case when event.ended_last >= event.onset_first then event.ended_last end)
            as latest_onset,
        least(treated.last_dose_on + setting.safety_days_after_last_dose, treated.data_cutoff) as window_ends_on,
        imputed_day(
            event.onset_first, event.onset_last, setting.impute,
            greatest(treated.birth_first, treated.index_date), treated.last_possible_day, treated.data_cutoff
        ) as imputed_onset_on,
        related.resource_key is not null as is_related,
        soc_name.name as soc
    from adverse_event as event
    cross join setting
    join treated on treated.person_id = event.person_id
    left join soc_name on soc_name.code = event.soc_code
    left join related on related.resource_key = event.resource_key and related.site = event.site
    where event.is_counted and setting.safety_days_after_last_dose is not null
)

select
    person_id,
    site,
    resource_key,
    soc,
    coalesce(pt_display, pt_code) as pt,
    soc_code,
    pt_code,
    term,
    codes,
    grade,
    severity,
    coalesce(is_serious, false) as is_serious,
    is_related,
    coalesce(is_fatal, false) as is_fatal,
    coalesce(led_to_discontinuation, false) as led_to_discontinuation,
    onset_text,
    imputed_onset_on as onset_on,
    onset_first < onset_last as is_onset_imputed,
    case
        -- A missing onset counts, unless the event ended before the first dose.
        when onset_first is null then coalesce(ended_last >= index_date, true)
        else onset_first <= window_ends_on and latest_onset >= index_date
    end as is_treatment_emergent
from judged
