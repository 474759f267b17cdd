-- One row per study, site, concept and source code in its neighbourhood that fed no codelist of the study, with the reasons
-- that make it a neighbour; ranked, the strongest first. What makes a neighbour is told in docs/add-a-site.md.

with concept as (
    select study, codelist, concept, site, bool_or(resources > 0) as is_fed
    from code_use
    group by all
),

-- A study may read a list from one element for several kinds of value.
read_from as (
    select distinct study, codelist, source from codelist_source
),

orphan as (
    select used.*
    from source_code as used
    anti join code_use as fed
        on fed.study = used.study
        and fed.site = used.site
        and fed.source = used.source
        and fed.system = used.system
        and fed.code = used.code
    where used.source <> 'observation value'
),

-- The code itself in another kind of resource than the study reads it from; or but for its system or punctuation.
same_code as (
    select distinct
        orphan.study, list.codelist, list.concept, orphan.site, orphan.source, orphan.resource_type, orphan.system, orphan.code
    from orphan
    join current.code as list
        on list.study = orphan.study
        and list.site = orphan.site
        and list.system = orphan.system
        and list.code = orphan.code
    union
    select
        orphan.study, list.codelist, list.concept, orphan.site, orphan.source, orphan.resource_type, orphan.system, orphan.code
    from orphan
    join read_from as reads using (study, source)
    join clinical.codelist as list
        on list.study = orphan.study
        and list.codelist = reads.codelist
        and bare_code(list.code) = bare_code(orphan.code)
    where length(bare_code(orphan.code)) >= 4
),

list_word as (
    select distinct
        study, codelist, concept,
        unnest(display_words(display || ' ' || case when concept <> codelist then concept else '' end)) as word
    from clinical.codelist
),

-- A word that many concepts of the study have tells little of each.
weighted_word as (
    select *, 1 / count(*) over (partition by study, word) as weight
    from list_word
),

source_word as (
    select study, site, source, resource_type, system, code, unnest(display_words(concat_ws(' ', display, code))) as word
    from source_code
    where source <> 'observation value'
),

-- Nor does one that many names at the site have: more than 20, and more than a hundredth of the element's codes.
told as (
    select
        source_word.study, source_word.site, source_word.source, source_word.word,
        count(distinct (source_word.system, source_word.code)) as codes,
        any_value(size.codes) as all_codes
    from source_word
    join (
        select study, site, source, count(distinct (system, code)) as codes from source_code group by all
    ) as size using (study, site, source)
    semi join weighted_word as word on word.study = source_word.study and word.word = source_word.word
    group by all
    having codes <= greatest(20, all_codes / 100)
),

same_words as (
    select
        orphan.study, word.codelist, word.concept,
        orphan.site, orphan.source, orphan.resource_type, orphan.system, orphan.code,
        -- Of as many words those weigh more that fewer names at the site have.
        sum(word.weight / (1 + log2(told.codes))) as weight,
        string_agg(word.word, ' ' order by word.weight / (1 + log2(told.codes)) desc, word.word) as words
    from orphan
    join source_word using (study, site, source, resource_type, system, code)
    join told
        on told.study = source_word.study
        and told.site = source_word.site
        and told.source = source_word.source
        and told.word = source_word.word
    join weighted_word as word on word.study = source_word.study and word.word = source_word.word
    join read_from as reads
        on reads.study = word.study and reads.codelist = word.codelist and reads.source = orphan.source
    group by all
    having sum(word.weight) >= 0.5
),

stem as (
    select distinct
        list.study, list.codelist, list.concept, reads.source, list.system,
        upper(left(list.code, stem_length(list.code))) as stem
    from clinical.codelist as list
    join read_from as reads using (study, codelist)
    where stem_length(list.code) is not null
),

same_stem as (
    select
        orphan.study, stem.codelist, stem.concept,
        orphan.site, orphan.source, orphan.resource_type, orphan.system, orphan.code,
        max(stem.stem) as stem
    from orphan
    join stem
        on stem.study = orphan.study
        and stem.source = orphan.source
        and stem.system = orphan.system
        and starts_with(upper(orphan.code), stem.stem)
    group by all
),

-- Weak reasons, that point to a code only where nothing else feeds the concept.
written_unit as (
    select distinct site, code_system as system, code_code as code, value_unit_code, value_unit
    from current.observation
    where value_number is not null
),

same_unit as (
    select distinct
        orphan.study, concept.codelist, concept.concept,
        orphan.site, orphan.source, orphan.resource_type, orphan.system, orphan.code
    from orphan
    join written_unit as written
        on written.site = orphan.site
        and coalesce(written.system, '') = orphan.system
        and written.code = orphan.code
    join matching_unit as unit
        on unit.source_code = coalesce(written.value_unit_code, '')
        and unit.source_unit = coalesce(written.value_unit, '')
    join clinical.measurement_unit as wanted on wanted.study = orphan.study and wanted.unit = unit.unit
    join concept
        on concept.study = wanted.study
        and concept.codelist = wanted.codelist
        and concept.site = orphan.site
        and not concept.is_fed
    where orphan.source = 'observation'
),

same_kind as (
    select distinct
        orphan.study, concept.codelist, concept.concept,
        orphan.site, orphan.source, orphan.resource_type, orphan.system, orphan.code,
        case when orphan.source in ('discharge', 'route') then 'same element' else 'same kind of value' end as reason
    from orphan
    join codelist_source as reads using (study, source)
    join concept
        on concept.study = reads.study
        and concept.codelist = reads.codelist
        and concept.site = orphan.site
        and not concept.is_fed
    where orphan.source in ('discharge', 'route')
        or (reads.value = 'boolean' and orphan.booleans > 0)
        or (reads.value = 'coded' and orphan.coded_values > 0)
),

reason as (
    select *, 'same code' as reason, 4 as strength, null::double as weight from same_code
    union all by name
    select * exclude (weight, words), 'words: ' || words as reason, 3 as strength, weight from same_words
    union all by name
    select * exclude (stem), 'begins with ' || stem as reason, 2 as strength from same_stem
    union all by name
    select *, 'same dimension of unit' as reason, 1 as strength from same_unit
    union all by name
    select *, 1 as strength from same_kind
),

reasoned as (
    select
        study, codelist, concept, site, source, resource_type, system, code,
        string_agg(reason, '; ' order by strength desc, reason) as reason,
        max(strength) as strength,
        coalesce(max(weight), 0) as weight,
        count(*) as reasons
    from reason
    group by all
)

select
    reasoned.study,
    reasoned.site,
    reasoned.codelist,
    reasoned.concept,
    row_number() over (
        partition by reasoned.study, reasoned.site, reasoned.codelist, reasoned.concept
        -- Then whatever tells them apart, so that the order is one.
        order by
            -- Rounded, since a sum of fractions depends on its order.
            reasoned.strength desc, round(reasoned.weight, 9) desc, reasoned.reasons desc,
            orphan.treated_persons desc, orphan.resources desc,
            reasoned.source, reasoned.resource_type, reasoned.system, reasoned.code
    ) as rank,
    reasoned.source,
    reasoned.resource_type,
    reasoned.system,
    reasoned.code,
    orphan.display,
    reasoned.reason,
    orphan.resources,
    orphan.persons,
    orphan.treated_persons,
    orphan.first_on,
    orphan.last_on
from reasoned
join orphan using (study, site, source, resource_type, system, code)
-- A code without a value of the kind that the concept needs is no neighbour.
where reasoned.strength = 4
    or exists (
        select 1
        from codelist_source as reads
        where reads.study = reasoned.study
            and reads.codelist = reasoned.codelist
            and reads.source = reasoned.source
            and (
                reads.value is null
                or (reads.value = 'number' and orphan.numbers > 0)
                or (reads.value = 'boolean' and orphan.booleans > 0)
                or (reads.value = 'coded' and orphan.coded_values > 0)
            )
    )
