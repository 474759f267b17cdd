"""What a section of the report is, and what all sections are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from reports.rendering.labels import analysis_label, event_label, group_label, level_label
from reports.rendering.lookup import Cell, Results
from reports.rendering.order import in_order
from reports.rendering.tables import Ask, Column, Line, Table, level_lines
from studies.protocol import Protocol

COUNTED = Column("n (%)", Ask(show=("n",), aside=("percent",)))
LIMITS = (
    Column("lower", Ask(show=("ci_low",)), over="95% CI"),
    Column("upper", Ask(show=("ci_high",)), over="95% CI"),
)
TREATED = "all treated persons"


@dataclass(frozen=True)
class Figure:
    """A drawing with its number, the name of its file and its caption, which may hold numbers."""

    number: str
    name: str
    title: str
    caption: tuple[Cell, ...]
    svg: str


@dataclass(frozen=True)
class Section:
    """A numbered part of the report. One without tables and figures is left out."""

    number: str
    title: str
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    paragraphs: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The place that links lead to."""
        return f"section-{self.number.replace('.', '-')}"


@dataclass(frozen=True)
class Source:
    """What sections are made from: the results, the curves' steps, and the protocol's rules."""

    results: Results
    curves: pl.DataFrame
    protocol: Protocol

    @property
    def treated(self) -> Cell:
        """The number of treated persons."""
        return self.results.cell("attrition", "n", level="treated")

    def lines(self, analysis: str, *, method: str | None = None) -> list[Line]:
        """A line for each level of an analysis, in a reader's order."""
        return level_lines(analysis, self.levels(analysis), self.level, method=method)

    def analysis(self, name: str) -> str:
        """An analysis as the protocol calls it, at the beginning of a line."""
        return analysis_label(self.protocol, name)

    def group(self, name: str) -> str:
        """A group of persons as the protocol calls it."""
        return group_label(self.protocol, name)

    def level(self, name: str) -> str:
        """A level of an analysis as the protocol calls it, at the beginning of a line."""
        return level_label(self.protocol, name)

    def levels(self, analysis: str) -> list[str]:
        """The levels of an analysis in a reader's order."""
        return in_order(analysis, self.results.levels(analysis), self.protocol)

    def persons(self, population: str) -> str:
        """The persons of a population that the protocol names."""
        chosen = self.protocol.populations.get(population)
        return (
            (chosen.label or f"persons with {event_label(self.protocol, chosen.event)}")
            if chosen
            else TREATED
        )

    def later_event_note(self) -> tuple[str, ...]:
        """What a table by a later event has to say."""
        if self.protocol.survival_by is None:
            return ()
        event = self.level(self.protocol.survival_by.event)
        return (
            f"Columns or rows by {event} group persons by an event after the index date: they describe, and "
            "compare nothing.",
        )


def group_columns(source: Source, groups: Sequence[str], ask: Ask) -> list[Column]:
    """A column for each group of persons."""
    return [Column(source.group(group), Ask(group=group, show=ask.show, aside=ask.aside)) for group in groups]
