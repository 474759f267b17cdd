"""The text of a compiled view's query: one subquery a level, each unnesting one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mappers.fields import quoted
from mappers.rows import Level, Plan
from mappers.values import text

CARRIED = ('"resource"', '"$key"')


def query(plan: Plan, finish: Callable[[str], str], relation: str, passthrough: Sequence[str]) -> str:
    """SQL that selects the passthrough columns and the view's from `relation`, which has a column
    `resource`.
    """
    levels = plan.levels
    key = f'resource_key({text(plan.view.resource)}, "resource"."id")'
    everything = [sql for level in levels for sql in (level.list_sql, *(s for _, s in level.outputs))]
    uses_key = any('"$key"' in sql for sql in (*everything, *plan.filters))
    start = f"from {relation}"
    if uses_key:
        start = f'from (select *, {key} as "$key" from {relation})'  # noqa: S608 - names are quoted, texts literals
    outputs: list[str] = [quoted(name) for name in passthrough]
    pending: list[int] = []
    for level in levels:
        if level.number:
            start = unnested(levels, level, start, outputs, pending)
            pending.remove(level.number)
        start, pending, outputs = projected(levels, level, start, outputs, pending)
        if level.number == 0 and plan.filters:
            start += f"\nwhere {' and '.join(plan.filters)}"
    final = ", ".join([*(quoted(name) for name in passthrough), *(quoted(name) for name in plan.columns)])
    return finish(f"select {final} from (\n{start}\n)")  # noqa: S608 - as above


def carried(levels: Sequence[Level], after: int) -> list[str]:
    """The columns of the resource itself that levels after this one still read."""
    later = [
        sql
        for level in levels
        if level.number > after
        for sql in (*(s for _, s in level.outputs), *(c.list_sql for c in children(levels, level)))
    ]
    return [name for name in CARRIED if any(name in sql for sql in later)]


def children(levels: Sequence[Level], of: Level) -> Iterable[Level]:
    return (level for level in levels if level.number and level.parent == of.number)


def projected(
    levels: Sequence[Level], level: Level, start: str, outputs: list[str], pending: list[int]
) -> tuple[str, list[int], list[str]]:
    """A select that computes the level's columns and the lists of its children."""
    made = [f"{sql} as {quoted(name)}" for name, sql in level.outputs]
    lists = [f'{child.list_sql} as "$list{child.number}"' for child in children(levels, level)]
    waiting = [f'"$list{number}"' for number in pending]
    items = [*outputs, *carried(levels, level.number), *waiting, *made, *lists]
    now_pending = [*pending, *(child.number for child in children(levels, level))]
    now_outputs = [*outputs, *(quoted(name) for name, _ in level.outputs)]
    return f"select {', '.join(items) or '1'}\n{start}", now_pending, now_outputs


def unnested(
    levels: Sequence[Level], level: Level, start: str, outputs: list[str], pending: list[int]
) -> str:
    """A from clause in which the level's list is one item a row, with its place where a column asks for
    it."""
    this = f'"$list{level.number}"'
    items = f"case when len({this}) > 0 then {this} else [null] end" if level.keeps_empty else this
    index = f'"$index{level.number}"'
    parts = [
        *outputs,
        *carried(levels, level.number - 1),
        *(f'"$list{number}"' for number in pending if number != level.number),
        f'unnest({items}) as "$each{level.number}"',
    ]
    used = [s for _, s in level.outputs] + [child.list_sql for child in children(levels, level)]
    if any(index in sql for sql in used):
        parts.append(f"generate_subscripts({items}, 1) - 1 as {index}")
    return f"from (\nselect {', '.join(parts)}\nfrom (\n{start}\n))"
