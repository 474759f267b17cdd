"""The codes that fed each concept of a study at a site, and its neighbourhood, as rows of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import duckdb

from flows.source_text import plain

# Fed by nothing before fed by something; within a concept by how much.
CODES = """
with fed as (
    select
        study, site, codelist, concept,
        case when resources > 0 then 'fed' when code is not null then 'unused' else 'none' end as kind,
        resource_type, system, code, display, mapped_by, null::varchar as reason,
        resources, persons, treated_persons, first_on, last_on,
        case when resources > 0 then 1 when code is not null then 2 else 0 end as part,
        row_number() over (
            partition by study, site, codelist, concept
            order by resources desc, source, resource_type, system, code
        ) as rank
    from quality.code_use
),

orphan as (
    select
        study, site, codelist, concept, 'orphan' as kind,
        resource_type, system, code, display, null::varchar as mapped_by, reason,
        resources, persons, treated_persons, first_on, last_on, 3 as part, rank
    from quality.orphan_code
),

every as (
    from fed
    union all by name
    from orphan
)

select
    study, site, codelist, concept, kind, resource_type, system, code, display, mapped_by, reason,
    resources, persons, treated_persons, first_on, last_on
from every
where ($study is null or study = $study) and ($site is null or site = $site)
order by study, site, codelist, concept, part, rank
"""


class CodeRow(NamedTuple):
    """A code that fed a concept, is mapped and unused, or is an orphan; or a concept that nothing feeds.

    `kind` is `fed`, `unused`, `orphan` or `none`; the last has no code. The fields are the header of the CSV.
    """

    study: str
    site: str
    codelist: str
    concept: str
    kind: str
    resource_type: str
    system: str
    code: str
    display: str
    mapped_by: str
    reason: str
    resources: int
    persons: int
    treated_persons: int
    first_on: str
    last_on: str


def read_code_rows(
    connection: duckdb.DuckDBPyConnection, study: str | None, site: str | None
) -> list[CodeRow]:
    """Every row, or those of one study and site, in their order: by study, site, codelist, concept, then rank."""
    found = connection.execute(CODES, {"study": study, "site": site}).fetchall()
    return [CodeRow._make(_cells(row)) for row in found]


def _cells(row: Sequence[object]) -> Iterator[object]:
    """Empty for NULL, dates as text, and no control characters in what a source wrote."""
    for cell in row:
        yield cell if isinstance(cell, int) else plain("" if cell is None else str(cell))
