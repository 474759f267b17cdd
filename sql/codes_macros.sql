-- What makes codes and displays alike; temporary, as those of the clinical models.

-- The words of a display, of at least four letters: without accents, plurals, and the two ways to spell ae and oe.
create or replace temp macro display_words(display) as
    list_filter(
        list_distinct(list_transform(
            string_split_regex(
                replace(replace(lower(strip_accents(coalesce(display, ''))), 'ae', 'e'), 'oe', 'e'), '[^a-z]+'
            ),
            lambda word: regexp_replace(word, '([^su])s$', '\1')
        )),
        lambda word: length(word) >= 4
    );

-- A code without its punctuation: C91.0 and c910 are one.
create or replace temp macro bare_code(code) as
    upper(regexp_replace(code, '[^A-Za-z0-9]', '', 'g'));

-- How many leading characters make a neighbour of a code: two thirds of them, at least three. Numbers alone have no
-- neighbours: codes with a letter are the ones that are built as a hierarchy.
create or replace temp macro stem_length(code) as
    case when regexp_matches(code, '[A-Za-z]') then greatest(3, ceil(2 * length(code) / 3)::integer) end;
