"""Sections 14.3: adverse events, deaths, laboratory."""

from __future__ import annotations

from dataclasses import replace

from reports.rendering.section import COUNTED, TREATED, Section, Source
from reports.rendering.tables import Ask, Column, Line, Table, results_table

BY_PERSON = "Persons are counted once a line, however many events they had; events stand beside."


def safety_sections(source: Source) -> list[Section]:
    """Treatment-emergent events, deaths, and laboratory grades."""
    return [_adverse_events(source), _deaths(source), _laboratory(source)]


def _adverse_events(source: Source) -> Section:
    overview = _events(source, "14.3.1a", "Overview", source.lines("teae"), "Event")
    classes = _events(
        source, "14.3.1b", "By system organ class", _by_frequency(source, "teae.soc"), "System organ class"
    )
    terms = _events(
        source, "14.3.1c", "By preferred term", _by_frequency(source, "teae.pt"), "Preferred term"
    )
    uncoded = "An event without such a code stands in the overview alone."
    return Section(
        "14.3.1",
        "Treatment-emergent adverse events",
        (
            overview,
            replace(classes, notes=(*classes.notes, uncoded)),
            replace(terms, notes=(*terms.notes, uncoded)),
        ),
    )


def _events(source: Source, number: str, title: str, lines: list[Line], head: str) -> Table:
    columns = [COUNTED, Column("Events", Ask(show=("events",)))]
    made = results_table(source.results, number, title, lines, columns)
    return replace(
        made, head=head, population=TREATED, size=source.treated, denominator=TREATED, notes=(BY_PERSON,)
    )


def _by_frequency(source: Source, analysis: str) -> list[Line]:
    """The most frequent first, as safety tables have it; names as the sources gave them."""
    counts = {row["level"]: row["value"] for row in source.results.counts(analysis)}
    levels = sorted(counts, key=lambda level: (-counts[level], level))
    return [Line(level, Ask(analysis=analysis, level=level)) for level in levels]


def _deaths(source: Source) -> Section:
    made = results_table(source.results, "14.3.2", "Deaths by class", source.lines("death"), [COUNTED])
    notes = "Each death has one class by when it came. Due to a treatment-emergent event is a flag beside the classes."
    return Section(
        "14.3.2",
        "Deaths",
        (
            replace(
                made,
                head="Deaths",
                population=TREATED,
                size=source.treated,
                denominator=TREATED,
                notes=(notes if source.protocol.safety else "Each death has one class by when it came.",),
            ),
        ),
    )


def _laboratory(source: Source) -> Section:
    laboratory = source.protocol.safety.laboratory if source.protocol.safety else None
    if laboratory is None:
        return Section("14.3.4", "Laboratory")
    terms = [test.term for test in laboratory.tests]
    columns = [
        Column(str(grade), Ask(level=str(grade), show=("n",), aside=("percent",)), over="Worst grade, n (%)")
        for grade in range(5)
    ]
    made = results_table(
        source.results,
        "14.3.4",
        "Worst laboratory grade after baseline",
        [Line(term, Ask(analysis="lab.worst_grade", prefix=f"{term} grade ")) for term in terms],
        columns,
    )
    return Section(
        "14.3.4",
        "Laboratory",
        (
            replace(
                made,
                head="Test",
                population=TREATED,
                size=source.treated,
                denominator="persons with a value of the test after baseline; - where there is none",
                method=f"CTCAE {laboratory.ctcae_version}, values to {laboratory.days_after_last_dose} days after the "
                "last dose",
                notes=("Grade 4 anaemia can't be graded from values: it prints 0.",)
                if "Anemia" in terms
                else (),
            ),
        ),
    )
