"""Sections 14.3: adverse events, deaths, laboratory."""

from __future__ import annotations

from dataclasses import replace

from reports.rendering.section import COUNTED, LIMITS, TREATED, Section, Source
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
    by_kind = [
        _events(source, f"14.3.1{letter}", title, _by_frequency(source, analysis), "Preferred term")
        for letter, title, analysis in (
            ("d", f"Preferred terms of at least {_common(source)}% of persons", "teae.common"),
            ("e", "Grade 3 or more, by preferred term", "teae.pt.grade_3_plus"),
            ("f", "Related to the index drug, by preferred term", "teae.pt.related"),
            ("g", "Serious, by preferred term", "teae.pt.serious"),
        )
    ]
    return Section(
        "14.3.1",
        "Treatment-emergent adverse events",
        (
            overview,
            replace(classes, notes=(*classes.notes, uncoded)),
            replace(terms, notes=(*terms.notes, uncoded)),
            *by_kind,
            _grades(source),
            _rates(source),
        ),
    )


def _common(source: Source) -> str:
    return f"{source.protocol.safety.common_percent:g}" if source.protocol.safety else ""


def _grades(source: Source) -> Table:
    """Each class by the worst grade; a person stands once in a line."""
    grades = [*(str(grade) for grade in range(1, 6)), "not graded"]
    columns = [
        Column(
            grade.capitalize(),
            Ask(level=grade if grade == "not graded" else f"grade {grade}", show=("n",), aside=("percent",)),
            over="Worst grade, n (%)",
        )
        for grade in grades
    ]
    lines = [
        Line(line.label, Ask(analysis="teae.soc_grade", prefix=f"{line.label} "))
        for line in _by_frequency(source, "teae.soc")
    ]
    made = results_table(source.results, "14.3.1h", "System organ class by worst grade", lines, columns)
    return replace(
        made,
        head="System organ class",
        population=TREATED,
        size=source.treated,
        denominator=TREATED,
        notes=("CTCAE grades as the sources recorded them.",),
    )


def _rates(source: Source) -> Table:
    rates = source.protocol.safety.rates if source.protocol.safety else {}
    lines = []
    for count, said in (("first", "First events"), ("all", "All events")):
        named = {name: rules for name, rules in rates.items() if rules.count == count}
        lines += [Line(said)] if named else []
        lines += [Line(source.level(rules.of), Ask(analysis=f"rate.{name}")) for name, rules in named.items()]
    columns = [
        Column("Persons", Ask(show=("n",))),
        Column("Events", Ask(show=("events",))),
        Column("Person-years", Ask(show=("person_years",))),
        Column("Rate", Ask(show=("rate",))),
        *LIMITS,
    ]
    made = results_table(source.results, "14.3.1i", "Events for each 100 person-years", lines, columns)
    return replace(
        made,
        head="Event",
        population=TREATED,
        size=source.treated,
        denominator="days from the first dose to the end of the treatment-emergent window, the death or the last "
        "contact, both counted, / 365.25; of first events, to the first",
        method="exact Poisson limits (Garwood)",
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
    counted = "persons with a value of the test after baseline; - where there is none"
    method = f"CTCAE {laboratory.ctcae_version}, values to {laboratory.days_after_last_dose} days after the last dose"
    columns = [
        Column(str(grade), Ask(level=str(grade), show=("n",), aside=("percent",)), over="Worst grade, n (%)")
        for grade in range(5)
    ]
    made = results_table(
        source.results,
        "14.3.4a",
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
                denominator=counted,
                method=method,
                notes=("Grade 4 anaemia can't be graded from values: it prints 0.",)
                if "Anemia" in terms
                else (),
            ),
            replace(
                _shifts(source, terms),
                head="Baseline grade",
                population=TREATED,
                size=source.treated,
                denominator=counted,
                method=method,
                notes=(
                    "Each person stands once for a test: by the grade of the baseline value and the worst one after. "
                    "Where the baseline is abnormal some tests are graded by it, so that the worst grade can be lower.",
                ),
            ),
        ),
    )


def _shifts(source: Source, terms: list[str]) -> Table:
    lines = []
    for term in terms:
        lines.append(Line(term))
        for before in (*(f"grade {grade}" for grade in range(5)), "no baseline"):
            prefix = f"{term} {before} to grade "
            lines.append(Line(before.capitalize(), Ask(analysis="lab.shift", prefix=prefix)))
    columns = [
        Column(str(grade), Ask(level=str(grade), show=("n",), aside=("percent",)), over="Worst grade, n (%)")
        for grade in range(5)
    ]
    return results_table(
        source.results, "14.3.4b", "Shift from the baseline grade to the worst", lines, columns
    )
