-- What the `urn:` of a bundle's entry means, within the bundle; nothing, where two entries say otherwise.
create or replace temp table alias as
select scope, alias, case when count(distinct key) = 1 then any_value(key) else '' end as key
from noted_alias
group by scope, alias;

-- The key of the resource that a reference means: its own, where a bundle says so. A reference that is asked
-- to be of a type, and turns out to be of another, has none.
create or replace temp macro resolved(scope_number, reference, wanted) as
    nullif(
        coalesce(
            (
                select case when wanted is null or starts_with(a.key, wanted || '/') then a.key else '' end
                from alias as a
                where a.scope = scope_number and a.alias = reference
            ),
            reference
        ),
        ''
    );

-- The same for each key of a list.
create or replace temp macro resolved_all(scope_number, reference_list, wanted) as
    case
        when len(reference_list) > 0 then (
            select list(resolved(scope_number, u.key, wanted) order by u.place)
            from (select unnest(reference_list) as key, generate_subscripts(reference_list, 1) as place) as u
        )
        else reference_list
    end;
