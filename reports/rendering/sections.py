"""The report's sections, in their order: which tables and figures each has. A part without results is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from reports.rendering.curve_figure import AtRisk, draw_curve
from reports.rendering.lookup import Results
from reports.rendering.tables import (
    COUNTED,
    SUMMARY,
    Table,
    interval_table,
    levels_table,
    plain_table,
    statistics_table,
    words,
)
from studies.protocol import Protocol

MEDIANS = ("n", "events", "median", "ci_low", "ci_high", "min", "max")
LATER_EVENT = "Grouped by an event after the start of follow-up: the columns describe, and compare nothing."
FLAGS = "Flags: a person may have several, so they don't add up."


@dataclass(frozen=True)
class Figure:
    """A drawing with the name of its file and its caption."""

    name: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Section:
    """A numbered part of the report."""

    number: str
    title: str
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    paragraphs: tuple[str, ...] = field(default=())

    @property
    def anchor(self) -> str:
        return f"section-{self.number.replace('.', '-')}"


def result_sections(results: Results, curves: pl.DataFrame, protocol: Protocol) -> list[Section]:
    """The sections that show results, each with at least one table."""
    made = [
        _disposition(results),
        _baseline(results, protocol),
        _exposure(results),
        _response(results),
        _remission_times(results, curves),
        _survival(results, curves, protocol),
        _incidences(results, curves, protocol),
        _survival_by_event(results, protocol),
        _adverse_events(results),
        _deaths(results),
        _laboratory(results),
        _sites(results),
        _sensitivity(results),
    ]
    return [section for section in map(_with_rows, made) if section.tables or section.figures]


def _with_rows(section: Section) -> Section:
    tables = tuple(table for table in section.tables if any(row.cells for row in table.rows))
    return Section(section.number, section.title, tables, section.figures, section.paragraphs)


def _disposition(results: Results) -> Section:
    return Section(
        "14.1.1",
        "Attrition and disposition",
        (
            _in_order(
                levels_table(
                    results, "14.1.1a", "Attrition", ["attrition"], ("n",), population="known persons"
                ),
                ["known", "diagnosed", "treated"],
            ),
            levels_table(
                results,
                "14.1.1b",
                "Disposition",
                ["disposition"],
                COUNTED,
                notes=[FLAGS],
                population="treated",
            ),
        ),
    )


def _in_order(table: Table, order: list[str]) -> Table:
    rank = {name: position for position, name in enumerate(order)}
    rows = tuple(sorted(table.rows, key=lambda row: rank.get(row.label, len(order))))
    return Table(table.number, table.title, table.columns, rows, table.notes, table.population)


def _baseline(results: Results, protocol: Protocol) -> Section:
    by = protocol.survival_by.event if protocol.survival_by else None
    groups = ["all", *(results.groups(by) if by else [])]
    notes = [LATER_EVENT] if by else []
    numbers = ["baseline.age", "baseline.age_at_diagnosis", "baseline.prior_regimens"]
    classes = ["baseline.sex", "baseline.phenotype", "baseline.refractory"]
    return Section(
        "14.1.2",
        "Demographics and disease at baseline",
        (
            statistics_table(
                results,
                "14.1.2a",
                "Age in completed years, and prior regimens",
                numbers,
                SUMMARY,
                groups=groups,
                notes=notes,
                population="treated",
            ),
            levels_table(
                results,
                "14.1.2b",
                "Sex and disease",
                classes,
                COUNTED,
                groups=groups,
                notes=notes,
                population="treated",
            ),
        ),
    )


def _exposure(results: Results) -> Section:
    return Section(
        "14.1.5",
        "Exposure",
        (
            levels_table(
                results,
                "14.1.5a",
                "Evidence of exposure to the index drug, and regimen",
                ["exposure.evidence", "exposure.regimen"],
                COUNTED,
                notes=["Exposure known from orders alone is a lower bound of what was not given."],
                population="treated",
            ),
            statistics_table(
                results,
                "14.1.5b",
                "Doses, cycles and days from the first to the last dose, a person",
                ["exposure.doses", "exposure.cycles", "exposure.days"],
                ("median", "min", "max"),
                population="treated",
            ),
        ),
    )


def _response(results: Results) -> Section:
    return Section(
        "14.2.1",
        "Response",
        (
            levels_table(
                results, "14.2.1a", "Best response", ["response.best"], COUNTED, population="treated"
            ),
            interval_table(
                results,
                "14.2.1b",
                "Remission and overall response, by each method",
                ["response.remission", "response.overall"],
                ["Everybody treated is in the denominator; who can't be evaluated counts as no responder."],
            ),
            levels_table(
                results,
                "14.2.1c",
                "Why a best response can't be evaluated",
                ["response.not_evaluable"],
                ("n",),
                population="treated",
            ),
            statistics_table(
                results,
                "14.2.1d",
                "Derived and investigator's response",
                ["response.agreement"],
                ("n", "observed_percent", "kappa"),
                population="treated, with both",
            ),
        ),
    )


def _remission_times(results: Results, curves: pl.DataFrame) -> Section:
    names = ["time_to_remission", *results.analyses("duration_of_remission")]
    return Section(
        "14.2.2",
        "Time to remission, and its duration",
        (
            statistics_table(
                results,
                "14.2.2a",
                "Weeks to remission, and in remission",
                names,
                (*MEDIANS, "raw_median"),
                notes=[
                    "Medians are Kaplan-Meier estimates; the raw median is of all lengths, censored or not."
                ],
                population="responders",
            ),
        ),
        tuple(_figures(results, curves, ["time_to_remission", "duration_of_remission"], 1.0)),
    )


def _survival(results: Results, curves: pl.DataFrame, protocol: Protocol) -> Section:
    names = [name for name, endpoint in protocol.endpoints.items() if endpoint.population == "treated"]
    return Section(
        "14.2.4",
        "Survival",
        (
            statistics_table(
                results,
                "14.2.4a",
                "Median survival and follow-up, in weeks",
                [*names, "follow_up"],
                MEDIANS,
                population="treated",
            ),
            *(
                _weeks(
                    levels_table(
                        results,
                        f"14.2.4{letter}",
                        f"{words(name).capitalize()} at the report's weeks",
                        [name],
                        ("survival", "ci_low", "ci_high", "at_risk"),
                        notes=["A curve has no value later than its longest time."],
                        population="treated",
                    )
                )
                for letter, name in zip("bcdefgh", names, strict=False)
            ),
        ),
        tuple(_figures(results, curves, names, 1.0)),
    )


def _weeks(table: Table) -> Table:
    rows = [row for row in table.rows if row.label.startswith("week ")]
    rows.sort(key=lambda row: int(row.label.removeprefix("week ")))
    return Table(table.number, table.title, table.columns, tuple(rows), table.notes, table.population)


def _incidences(results: Results, curves: pl.DataFrame, protocol: Protocol) -> Section:
    names = [f"{name}_incidence" for name in protocol.incidences]
    return Section(
        "14.2.5",
        "Cumulative incidences, with competing events",
        tuple(
            _weeks(
                levels_table(
                    results,
                    f"14.2.5{letter}",
                    words(name).capitalize(),
                    [name],
                    ("incidence", "ci_low", "ci_high"),
                    notes=["Aalen-Johansen estimate; competing: " + ", ".join(incidence.competing)],
                    population="treated",
                )
            )
            for letter, name, incidence in zip("abcdefgh", names, protocol.incidences.values(), strict=False)
        ),
        tuple(_figures(results, curves, names, 0.0)),
    )


def _survival_by_event(results: Results, protocol: Protocol) -> Section:
    by = protocol.survival_by
    analysis = f"survival_by_{by.event}" if by else "survival_by"
    tests = ("mantel_byar", "logrank_naive")
    estimates = levels_table(
        results,
        "14.2.6a",
        "Hazard ratio of death, after the event against not",
        [analysis],
        ("n", "events", "hr", "ci_low", "ci_high", "p"),
        notes=[
            "Naive: biased. Who has the event has lived to have it, and that time is counted for them: with a true "
            "ratio of 1 it gives 0.4 to 0.5 in a study of this size. It stands here to compare with published figures."
        ],
        population="treated",
    )
    tested = levels_table(
        results, "14.2.6b", "Tests", [analysis], ("chi2", "p"), notes=[LATER_EVENT], population="treated"
    )
    keep = {words(name) for name in tests}
    return Section(
        "14.2.6",
        f"Survival by {by.event.upper() if by else ''}",
        (
            Table(
                estimates.number,
                estimates.title,
                estimates.columns,
                tuple(row for row in estimates.rows if row.label not in keep),
                estimates.notes,
                estimates.population,
            ),
            Table(
                tested.number,
                tested.title,
                tested.columns,
                tuple(row for row in tested.rows if row.label in keep),
                tested.notes,
                tested.population,
            ),
        ),
    )


def _adverse_events(results: Results) -> Section:
    statistics = ("n", "percent", "events")
    note = "Counted by person; events beside."
    return Section(
        "14.3.1",
        "Treatment-emergent adverse events",
        (
            levels_table(
                results, "14.3.1a", "Overview", ["teae"], statistics, notes=[note], population="treated"
            ),
            levels_table(
                results,
                "14.3.1b",
                "By system organ class",
                ["teae.soc"],
                statistics,
                notes=[note],
                population="treated",
            ),
            levels_table(
                results,
                "14.3.1c",
                "By preferred term",
                ["teae.pt"],
                statistics,
                notes=[note],
                population="treated",
            ),
        ),
    )


def _deaths(results: Results) -> Section:
    return Section(
        "14.3.2",
        "Deaths",
        (levels_table(results, "14.3.2", "Deaths by class", ["death"], COUNTED, population="treated"),),
    )


def _laboratory(results: Results) -> Section:
    return Section(
        "14.3.4",
        "Laboratory",
        (
            levels_table(
                results,
                "14.3.4",
                "Worst CTCAE grade after baseline",
                ["lab.worst_grade"],
                COUNTED,
                notes=[
                    "Of persons with a value after baseline.",
                    "Grade 4 anaemia can't be graded from values, and prints 0.",
                ],
                population="treated, with a value",
            ),
        ),
    )


def _sites(results: Results) -> Section:
    sites = results.groups("site")
    return Section(
        "14.2.8",
        "By site",
        tuple(
            levels_table(
                results,
                f"14.2.8{letter}",
                title,
                [analysis],
                (statistic,),
                groups=sites,
                population="treated",
            )
            for letter, title, analysis, statistic in (
                ("a", "Attrition", "attrition", "n"),
                ("b", "Best response", "response.best", "n"),
                ("c", "Deaths", "death", "n"),
            )
        )
        + (
            statistics_table(
                results,
                "14.2.8d",
                "Age, remission and survival",
                ["baseline.age", "response.remission", "overall_survival"],
                ("n", "median", "events"),
                groups=sites,
                population="treated",
            ),
        ),
    )


def _sensitivity(results: Results) -> Section:
    return Section(
        "14.2.10",
        "Sensitivity",
        (interval_table(results, "14.2.10", "Beside the primary", results.analyses("sensitivity.")),),
    )


def quality_section(results: Results, quarantined: list[tuple[object, ...]]) -> Section:
    """What became of each resource received, and why some were quarantined."""
    groups = ["all", *results.groups("site")]
    return Section(
        "D",
        "Data quality and accounting",
        (
            levels_table(
                results,
                "D.1",
                "Resources received",
                ["quality.resources"],
                ("n",),
                groups=groups,
                notes=["landed = mapped + quarantined + superseded + not asked for, checked for each file."],
                population="all resources",
            ),
            plain_table(
                "D.2",
                "Quarantined resources",
                ("Site", "Rule", "File (sha256)", "Line"),
                quarantined,
                ["The lines themselves stay in landing. No line of a value is printed here."],
            ),
            levels_table(
                results,
                "D.3",
                "Persons with an imputed date",
                ["quality.imputed_dates"],
                ("n",),
                population="treated",
            ),
        ),
    )


def _figures(results: Results, curves: pl.DataFrame, names: list[str], starts_at: float) -> Iterator[Figure]:
    for name in names:
        steps = curves.filter(pl.col("curve") == name)
        if steps.height:
            title = words(name).capitalize()
            caption = f"{title}. Line: estimate; band: 95% limits"
            caption += "; ticks: censored." if starts_at == 1.0 else "."
            axis = "Probability" if starts_at == 1.0 else "Incidence"
            svg = draw_curve(
                steps, title=title, axis=axis, starts_at=starts_at, at_risk=_at_risk(results, name)
            )
            yield Figure(name, caption, svg)


def _at_risk(results: Results, name: str) -> list[AtRisk]:
    found = {level: results.cell(name, "at_risk", level=level).text for level in results.levels(name)}
    marks = [AtRisk(int(level.removeprefix("week_")), text) for level, text in found.items() if text]
    return sorted(marks, key=lambda mark: mark.week)
