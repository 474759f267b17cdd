"""Section 14.2.8: the main results by site and subgroup; and 14.2.10, the sensitivity analyses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.rendering.order import groups_in_order
from reports.rendering.response_sections import PROPORTION, TIMES, response_analyses
from reports.rendering.section import TREATED, Section, Source
from reports.rendering.sensitivity_section import sensitivity_section
from reports.rendering.tables import Ask, Column, Line, Table, results_table
from reports.rendering.words import METHODS, group_words, sentence

SMALL = "Groups are small: a difference between them is not tested, and may be chance."


def group_sections(source: Source, between: Sequence[Section] = ()) -> list[Section]:
    """By site and subgroup; then the sections `between`; sensitivity."""
    return [_groups(source), *between, sensitivity_section(source)]


def _groups(source: Source) -> Section:
    lines = _group_lines(source)
    return Section(
        "14.2.8",
        "Subgroups and sites",
        (
            _main_outcome(source, lines),
            _matrix(source, "14.2.8b", "Best response by group", "response.best", lines),
            _matrix(source, "14.2.8c", "Deaths by group", "death", lines),
            _survival(source, lines),
            _ages(source, lines),
        ),
    )


def _group_lines(source: Source) -> list[Line]:
    """Sites, where there are several, then the protocol's subgroups; a later event has section 14.2.6."""
    later = source.protocol.survival_by.event if source.protocol.survival_by else ""
    variables = [name for name in source.results.variables() if name not in (later, "site", "without_site")]
    shown = ["site", *variables] if len(source.results.groups("site")) > 1 else variables
    lines = [Line("All", Ask(group="all"))] if shown else []
    for variable in shown:
        lines.append(Line(sentence(variable)))
        groups = groups_in_order(source.results.groups(variable))
        lines.extend(Line(_level(group), Ask(group=group)) for group in groups)
    return lines


def _level(group: str) -> str:
    return group_words(group) if group.startswith("site=") else group.partition("=")[2]


def _of(lines: Sequence[Line], analysis: str, method: str | None = None) -> list[Line]:
    return [
        replace(line, ask=replace(line.ask, analysis=analysis, method=method)) if line.ask else line
        for line in lines
    ]


def _main_outcome(source: Source, lines: Sequence[Line]) -> Table:
    method = source.protocol.analyses.proportion_interval
    main = next(iter(response_analyses(source)), "response")
    made = results_table(
        source.results,
        "14.2.8a",
        f"{source.analysis(main)} by group",
        _of(lines, main, method),
        PROPORTION,
    )
    return replace(
        made,
        head="Group",
        population=TREATED,
        size=source.treated,
        denominator="all treated persons of the group",
        method=METHODS.get(method, method),
        notes=(SMALL,),
    )


def _matrix(source: Source, number: str, title: str, analysis: str, lines: Sequence[Line]) -> Table:
    columns = [
        Column(source.level(level), Ask(level=level, show=("n",), aside=("percent",)))
        for level in source.levels(analysis)
    ]
    made = results_table(source.results, number, title, _of(lines, analysis), columns)
    return replace(
        made,
        head="Group",
        population=TREATED,
        size=source.treated,
        denominator="all treated persons of the group; n (%)",
        notes=(SMALL,),
    )


def _survival(source: Source, lines: Sequence[Line]) -> Table:
    made = results_table(
        source.results,
        "14.2.8d",
        "Overall survival by group, in weeks",
        _of(lines, "overall_survival"),
        TIMES[:5],
    )
    return replace(
        made,
        head="Group",
        population=TREATED,
        size=source.treated,
        method=f"Kaplan-Meier median; limits {source.protocol.analyses.survival_interval}",
        notes=(SMALL,),
    )


def _ages(source: Source, lines: Sequence[Line]) -> Table:
    columns = [
        Column("n", Ask(show=("n",))),
        Column("Missing", Ask(show=("missing",))),
        *(Column(name, Ask(show=(name.lower(),))) for name in ("Median", "Min", "Max")),
    ]
    made = results_table(source.results, "14.2.8e", "Age by group", _of(lines, "baseline.age"), columns)
    return replace(
        made,
        head="Group",
        population=TREATED,
        size=source.treated,
        method="completed years at the index date",
    )
