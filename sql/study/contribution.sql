-- view
-- One row per result, person and source resource behind it. `statistic` is empty where a row stands behind every
-- statistic of the analysis and level. Read by `cove trace`.

with person as (
    select person_id, site, resource_key from treated
),

dose as (
    select doses.person_id, doses.resource_key
    from doses
    semi join treated on treated.person_id = doses.person_id
),

ending as (
    select endpoint.* replace (coalesce(endpoint.resource_key, person.resource_key) as resource_key)
    from endpoint
    join person on person.person_id = endpoint.person_id
),

known as (
    select person_id, resource_key
    from clinical.person
    semi join attrition using (person_id)
),

population as (
    select 'attrition' as analysis, 'known' as level, 'n' as statistic, person_id, resource_key from known
    union all
    -- Without a diagnosis in the protocol everybody passes the step, as known.
    select 'attrition', 'diagnosed', 'n', attrition.person_id, coalesce(study_diagnosis.resource_key, known.resource_key)
    from attrition
    join known on known.person_id = attrition.person_id
    left join study_diagnosis on study_diagnosis.person_id = attrition.person_id and study_diagnosis.is_in_time
    where attrition.is_diagnosed
    union all
    select 'attrition', 'treated', 'n', person_id, resource_key from dose
    union all
    select 'disposition', 'treated', 'n', person_id, resource_key from dose
    union all
    select 'disposition', 'completed_follow_up', 'n', cohort.person_id, observed_value.resource_key
    from cohort
    cross join setting
    join observed_value
        on observed_value.person_id = cohort.person_id
        and observed_value.codelist = setting.completed_follow_up_codelist
        and observed_value.truth
    where cohort.completed_follow_up
    union all
    select 'disposition', later_event.event, 'n', later_event.person_id, later_event.resource_key
    from later_event
    cross join setting
    where later_event.event in (setting.survival_by_event, 'new_therapy')
    union all
    select 'disposition', 'died', 'n', person_id, resource_key from death
),

summarised as (
    select 'baseline.age' as analysis, cohort.age is not null as is_known, person.person_id, person.resource_key
    from person
    join cohort on cohort.person_id = person.person_id
    union all
    select
        'baseline.age_at_diagnosis',
        cohort.age_at_diagnosis is not null,
        cohort.person_id,
        unnest(list_filter([person.resource_key, study_diagnosis.resource_key], lambda key: key is not null))
    from cohort
    cross join setting
    join person on person.person_id = cohort.person_id
    left join study_diagnosis
        on study_diagnosis.person_id = cohort.person_id
        and study_diagnosis.diagnosed_on = cohort.diagnosed_on
    where setting.has_age_at_diagnosis
    union all
    select
        'baseline.prior_regimens',
        cohort.prior_regimens is not null,
        cohort.person_id,
        coalesce(baseline.resource_key, person.resource_key)
    from cohort
    cross join setting
    join person on person.person_id = cohort.person_id
    left join baseline
        on baseline.person_id = cohort.person_id and baseline.codelist = setting.prior_regimens_codelist
    where setting.prior_regimens_codelist is not null
),

at_baseline as (
    select
        analysis,
        '' as level,
        unnest(
            case when is_known
                then ['n', 'median', 'min', 'max', 'mean', 'sd', 'q1', 'q3']
                else ['missing']
            end
        ) as statistic,
        person_id,
        resource_key
    from summarised
    union all
    select 'baseline.sex', cohort.sex, '', cohort.person_id, person.resource_key
    from cohort
    join person on person.person_id = cohort.person_id
    union all
    select
        'baseline.phenotype',
        cohort.phenotype,
        '',
        cohort.person_id,
        coalesce(phenotype.resource_key, person.resource_key)
    from cohort
    join person on person.person_id = cohort.person_id
    left join phenotype on phenotype.person_id = cohort.person_id
    where cohort.phenotype is not null
    union all
    select
        'baseline.refractory',
        cohort.refractory,
        '',
        cohort.person_id,
        coalesce(baseline.resource_key, person.resource_key)
    from cohort
    cross join setting
    join person on person.person_id = cohort.person_id
    left join baseline
        on baseline.person_id = cohort.person_id and baseline.codelist = setting.refractory_codelist
    where cohort.refractory is not null
),

exposure as (
    select 'exposure.evidence' as analysis, cohort.evidence_level as level, '' as statistic, dose.person_id, dose.resource_key
    from dose
    join cohort on cohort.person_id = dose.person_id
    union all
    select unnest(['exposure.doses', 'exposure.days']), '', '', person_id, resource_key
    from dose
    union all
    select 'exposure.cycles', '', '', dose.person_id, dose.resource_key
    from dose
    join cohort on cohort.person_id = dose.person_id
    where cohort.cycles is not null
    union all
    select 'exposure.regimen', 'monotherapy', '', dose.person_id, dose.resource_key
    from dose
    join cohort on cohort.person_id = dose.person_id
    where cohort.regimen = 'monotherapy'
    union all
    select 'exposure.regimen', 'combination', '', cohort.person_id, other_dose.resource_key
    from cohort
    cross join setting
    join other_dose on other_dose.person_id = cohort.person_id
    where other_dose.dosed_on between cohort.index_date - setting.combination_days_before
        and cohort.last_dose_on + setting.combination_days_after
),

-- The assessments that gave the best response; without any, the person.
best as (
    select
        response.person_id,
        response.best_response,
        response.not_evaluable_reason,
        response.is_main_outcome,
        response.outcomes,
        coalesce(behind.resource_key, person.resource_key) as resource_key
    from response
    cross join setting
    join person on person.person_id = response.person_id
    left join assessment_source as behind
        on behind.person_id = response.person_id
        and behind.rating = setting.response_primary
        and behind.response = response.best_response
),

achieved as (
    select response.person_id, behind.resource_key
    from response
    cross join setting
    join assessment_source as behind
        on behind.person_id = response.person_id
        and behind.rating = setting.response_primary
        and behind.assessed_on = response.main_outcome_on
    semi join rated_assessment as rated
        on rated.person_id = behind.person_id
        and rated.rating = behind.rating
        and rated.assessed_on = behind.assessed_on
        and rated.response = behind.response
        and rated.is_main_outcome
    where response.is_main_outcome
),

responses as (
    select 'response.best' as analysis, best_response as level, '' as statistic, person_id, resource_key from best
    union all
    select 'response.' || main.outcome, '', 'n', achieved.person_id, achieved.resource_key
    from achieved
    join response_outcome as main on main.rank = 0
    union all
    select 'response.' || other.outcome, '', 'n', best.person_id, best.resource_key
    from best
    join response_outcome as other on other.rank > 0 and list_contains(best.outcomes, other.outcome)
    union all
    select 'response.' || response_outcome.outcome, '', 'denominator', person.person_id, person.resource_key
    from person
    cross join response_outcome
    union all
    select 'response.not_evaluable', not_evaluable_reason, 'n', person_id, resource_key
    from best
    where not_evaluable_reason is not null
    union all
    select 'response.agreement', '', '', person_id, resource_key
    from investigator_assessment
),

outcomes as (
    select
        endpoint as analysis,
        '' as level,
        unnest([
            'n', 'median', 'ci_low', 'ci_high', 'min', 'max', 'raw_median', 'survival', 'incidence', 'at_risk'
        ]) as statistic,
        person_id,
        resource_key
    from ending
    union all
    select endpoint, '', case status when 1 then 'events' else 'competing' end, person_id, resource_key
    from ending
    where status in (1, 2)
    union all
    select 'follow_up', '', '', person_id, resource_key from ending where endpoint = 'overall_survival'
    union all
    select 'survival_by_' || setting.survival_by_event, named.level, named.statistic, ending.person_id, ending.resource_key
    from ending
    cross join setting
    cross join lateral (
        select
            unnest(['naive', 'logrank_naive', 'time_dependent', 'mantel_byar']) as level,
            null::integer as landmark
        union all
        select 'landmark_' || landmark.day, landmark.day from landmark
    ) as by_level
    cross join lateral (
        select by_level.level, unnest(['n', 'events', 'hr', 'ci_low', 'ci_high', 'p', 'chi2']) as statistic
    ) as named
    where ending.endpoint = 'overall_survival'
        and setting.survival_by_event is not null
        and (by_level.landmark is null or ending.days > by_level.landmark)
        and (named.statistic <> 'events' or ending.status = 1)
    union all
    -- Who has the event while followed contributes to both curves, on the index date to the one of those since it alone;
    -- and dies in that.
    select
        'survival_by_' || setting.survival_by_event || '.simon_makuch',
        curve.level,
        unnest(
            case when ending.status = 1
                    and curve.level = case when followed.comparing_event_day is not null then 'yes' else 'no' end
                then ['n', 'survival', 'ci_low', 'ci_high', 'at_risk', 'events']
                else ['n', 'survival', 'ci_low', 'ci_high', 'at_risk']
            end
        ),
        ending.person_id,
        ending.resource_key
    from ending
    cross join setting
    join time_dependent as followed on followed.person_id = ending.person_id
    cross join lateral (select unnest(['yes', 'no']) as level) as curve
    where ending.endpoint = 'overall_survival'
        and setting.survival_by_event is not null
        and case curve.level
            when 'yes' then followed.comparing_event_day is not null
            else coalesce(followed.comparing_event_day > 0, true)
        end
    union all
    select 'gray.' || rule.comparison, '', unnest(['n', 'groups', 'df', 'chi2', 'p']), ending.person_id, ending.resource_key
    from ending
    join comparison_rule as rule on rule.endpoint = ending.endpoint
    union all
    select
        'gray.' || rule.comparison,
        subgroup.level,
        unnest(
            case when ending.status = 1
                then ['n', 'incidence', 'ci_low', 'ci_high', 'at_risk', 'events']
                else ['n', 'incidence', 'ci_low', 'ci_high', 'at_risk']
            end
        ),
        ending.person_id,
        ending.resource_key
    from ending
    join comparison_rule as rule on rule.endpoint = ending.endpoint
    join subgroup on subgroup.person_id = ending.person_id and subgroup.variable = rule.grouping
    union all
    select
        named.analysis,
        null,
        unnest(
            case when ending.status = named.status
                then ['n', 'hr', 'ci_low', 'ci_high', 'p', 'events']
                else ['n', 'hr', 'ci_low', 'ci_high', 'p']
            end
        ),
        ending.person_id,
        ending.resource_key
    from ending
    join comparison_rule as rule on rule.endpoint = ending.endpoint
    cross join lateral (
        values
            ('cause_specific.' || rule.comparison, 1),
            ('cause_specific.' || rule.comparison || '.competing', 2)
    ) as named (analysis, status)
    union all
    select 'death', unnest(['all', cohort.death_class]), 'n', death.person_id, death.resource_key
    from death
    join cohort on cohort.person_id = death.person_id
    union all
    select 'death', 'due_to_teae', 'n', cohort.person_id, behind.resource_key
    from cohort
    join (
        select person_id, resource_key from death
        union all
        select person_id, resource_key from teae where is_fatal
        union all
        select cause_of_death.person_id, cause_of_death.resource_key from cause_of_death
    ) as behind on behind.person_id = cohort.person_id
    where cohort.is_death_due_to_teae
),

safety as (
    select 'teae' as analysis, kind.level, '' as statistic, person_id, resource_key
    from teae
    cross join lateral (
        select unnest([
            'any',
            case when grade >= 3 then 'grade_3_plus' end,
            case when is_serious then 'serious' end,
            case when is_related then 'related' end,
            case when is_fatal then 'fatal' end,
            case when led_to_discontinuation then 'led_to_discontinuation' end
        ]) as level
    ) as kind
    where kind.level is not null
    union all
    select 'teae.soc', soc, '', person_id, resource_key from teae where soc <> ''
    union all
    select unnest(['teae.pt', 'teae.common']), pt, '', person_id, resource_key from teae where pt <> ''
    union all
    select 'teae.pt.' || kind.level, pt, '', person_id, resource_key
    from teae
    cross join lateral (
        select unnest([
            case when grade >= 3 then 'grade_3_plus' end,
            case when is_serious then 'serious' end,
            case when is_related then 'related' end
        ]) as level
    ) as kind
    where pt <> '' and kind.level is not null
    union all
    select
        'teae.soc_grade',
        soc || coalesce(' grade ' || max(grade) over (partition by person_id, soc), ' not graded'),
        '',
        person_id,
        resource_key
    from teae
    where soc <> ''
    union all
    select 'rate.' || rule.rate, '', unnest(['n', 'events']), person_id, resource_key
    from teae
    join rate_rule as rule
        on case rule.kind
            when 'any' then true
            when 'grade_3_plus' then grade >= 3
            when 'serious' then is_serious
            when 'related' then is_related
            when 'fatal' then is_fatal
            when 'led_to_discontinuation' then led_to_discontinuation
        end
    union all
    select
        'rate.' || rule.rate,
        '',
        unnest(['person_years', 'rate', 'ci_low', 'ci_high']),
        person.person_id,
        person.resource_key
    from person
    join time_at_risk on time_at_risk.person_id = person.person_id
    cross join rate_rule as rule
    union all
    select
        named.analysis,
        named.level,
        '',
        person_id,
        resource_key
    from lab_grade
    cross join lateral (
        values
            ('lab.worst_grade', term || ' grade ' || worst_grade),
            (
                'lab.shift',
                term || ' ' || coalesce('grade ' || baseline_grade, 'no baseline') || ' to grade ' || worst_grade
            )
    ) as named (analysis, level)
    union all
    select 'quality.imputed_dates', imputed_date.kind, 'n', person.person_id, person.resource_key
    from imputed_date
    join person on person.person_id = imputed_date.person_id
    union all
    select 'quality.contradictory_dates', kind, 'n', person_id, resource_key
    from contradictory_date
),

-- A published control is a number of the protocol; what it is compared with is the study's own.
compared as (
    select
        'comparator.' || rule.comparator as analysis,
        'study' as level,
        'events' as statistic,
        result.person_id,
        result.resource_key
    from (
        from responses
        union all
        from outcomes
    ) as result
    join comparator_rule as rule on rule.analysis = result.analysis and rule.level = result.level
    where result.statistic in ('', 'n')
    union all
    select
        'comparator.' || rule.comparator,
        unnest(['study', 'difference', 'ratio']),
        unnest(['n', '', '']),
        person.person_id,
        person.resource_key
    from person
    cross join comparator_rule as rule
),

final as (
    from population
    union all from at_baseline
    union all from exposure
    union all from responses
    union all from outcomes
    union all from safety
    union all from compared
)

select distinct
    final.analysis,
    final.level,
    final.statistic,
    final.person_id,
    attrition.site,
    record.resource_type,
    record.resource_id,
    record.resource_version,
    record.file,
    record.line
from final
join attrition on attrition.person_id = final.person_id
left join current.resource as record
    on record.site = attrition.site and record.resource_key = final.resource_key
