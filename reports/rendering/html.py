"""Renders the report as one HTML file that opens offline. Whatever comes from a source is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup

from reports.rendering.answer import decision_table, key_figures, limits, verdicts
from reports.rendering.comparator_sections import comparator_sections
from reports.rendering.group_sections import group_sections
from reports.rendering.lookup import Results
from reports.rendering.methods import method_rules
from reports.rendering.population_sections import population_sections
from reports.rendering.quality_sections import quality_section
from reports.rendering.response_sections import response_sections
from reports.rendering.safety_sections import safety_sections
from reports.rendering.section import Section, Source
from reports.rendering.survival_sections import survival_sections
from reports.rendering.tables import Table, plain_table, whole_table
from studies.protocol import Protocol

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Report:
    """What a report is made of. `identity` names the run; `quarantined` has site, rule, file and line.

    `pulled` has site, source, last complete pull, how its newest one ended, and how deletions are seen.
    """

    results: pl.DataFrame
    curves: pl.DataFrame
    protocol: Protocol
    identity: Mapping[str, Any]
    codelists: Sequence[tuple[str, int]]
    quarantined: list[tuple[object, ...]]
    pulled: Sequence[tuple[object, ...]] = ()

    @cached_property
    def source(self) -> Source:
        """What its sections are made of."""
        return Source(Results(self.results), self.curves, self.protocol)

    @cached_property
    def sections(self) -> list[Section]:
        """Those that show results; the page and the files of its drawings have the same."""
        return result_sections(self.source)


def render_html(report: Report) -> str:
    """The report's page."""
    source, sections = report.source, report.sections
    quality = _filled(quality_section(source, report.quarantined, report.pulled))
    return _template().render(
        protocol=report.protocol,
        identity=report.identity,
        is_simulated=is_simulated(report),
        style=Markup((FOLDER / "report.css").read_text(encoding="utf-8")),  # a file of ours
        verdicts=verdicts(source),
        key_figures=key_figures(source),
        decisions=decision_table(source),
        limits=limits(source),
        sections=sections,
        quality=quality,
        drawings=_drawings([*sections, quality]),
        methods=method_rules(report.protocol, str(report.identity["data_cutoff"])),
        identity_tables=_identity_tables(report),
        everything=whole_table(source.results),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja")


def is_simulated(report: Report) -> bool:
    """Whether the run or its protocol says that the data are simulated."""
    return bool(report.identity["simulated"]) or report.protocol.simulated


def figures_of(report: Report) -> dict[str, str]:
    """The report's drawings by name, as they stand in the page."""
    return {figure.name: figure.svg for section in report.sections for figure in section.figures}


def result_sections(source: Source) -> list[Section]:
    """The sections that show results, in the order of ICH E3; a part without results is left out."""
    made = [
        *population_sections(source),
        *response_sections(source),
        *survival_sections(source),
        *group_sections(source, comparator_sections(source)),
        *safety_sections(source),
    ]
    return [section for section in map(_filled, made) if section.tables or section.figures]


def _filled(section: Section) -> Section:
    """The section without its empty tables; several figures get a letter each."""
    figures = section.figures
    if len(figures) > 1:
        figures = tuple(
            replace(figure, number=f"{figure.number}{letter}")
            for figure, letter in zip(figures, ascii_lowercase, strict=False)
        )
    return replace(section, tables=tuple(table for table in section.tables if table.rows), figures=figures)


def _drawings(sections: Sequence[Section]) -> dict[str, Markup]:
    """The figures as markup: their texts are escaped where they are drawn."""
    return {figure.name: Markup(figure.svg) for section in sections for figure in section.figures}


def _identity_tables(report: Report) -> list[Table]:
    identity = report.identity
    about = [
        ("Study", identity["study"]),
        ("Protocol version", identity["protocol_version"]),
        ("Protocol and codelists, sha256", identity["study_sha256"]),
        ("Data cut-off", identity["data_cutoff"]),
        ("Known as of", identity["as_of"] or "everything landed"),
        ("Run started", identity["started_at"]),
        ("Data", "simulated" if is_simulated(report) else "as received from the sources"),
        ("Python", identity["python"]),
        *((f"Package {name}", number) for name, number in sorted(identity["packages"].items())),
    ]
    inputs = [(item["site"], item["sha256"], item["bytes"], item["landed_at"]) for item in identity["inputs"]]
    return [
        plain_table("E.1", "The run", ("What", "Value"), about),
        plain_table("E.2", "Codelists", ("Codelist", "Codes"), report.codelists),
        replace(
            plain_table("E.3", "Inputs", ("Site", "File (sha256)", "Bytes", "Landed"), inputs),
            is_long=True,
            notes=(f"The {len(inputs)} files that the numbers were made from.",),
        ),
    ]
