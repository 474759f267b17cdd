"""Renders the report as one HTML file that opens offline. Whatever comes from a source is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports.rendering.lookup import Cell, Results
from reports.rendering.methods import method_rules
from reports.rendering.sections import Section, quality_section, result_sections
from reports.rendering.tables import Table, plain_table, whole_table
from studies.protocol import Protocol

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Report:
    """What a report is made of. `identity` names the run; `quarantined` has site, rule, file and line."""

    results: pl.DataFrame
    curves: pl.DataFrame
    protocol: Protocol
    identity: Mapping[str, Any]
    codelists: Sequence[tuple[str, int]]
    quarantined: list[tuple[object, ...]]


@dataclass(frozen=True)
class KeyFigure:
    """A main number with what it is, and a line of context."""

    title: str
    value: Cell
    context: tuple[Cell, ...]


def render_html(report: Report) -> str:
    """The report's page."""
    results = Results(report.results)
    sections = result_sections(results, report.curves, report.protocol)
    sections.append(quality_section(results, report.quarantined))
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        protocol=report.protocol,
        identity=report.identity,
        style=Markup((FOLDER / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - a file of ours
        key_figures=_key_figures(results, report.protocol),
        decisions=_decisions(results, report.protocol),
        limits=_limits(results, report.protocol),
        sections=sections,
        drawings={
            figure.name: Markup(figure.svg)  # noqa: S704 - its texts are escaped where it is drawn
            for section in sections
            for figure in section.figures
        },
        rules=method_rules(report.protocol, str(report.identity["data_cutoff"])),
        identity_tables=_identity_tables(report),
        everything=whole_table(results),
    )


def figures_of(report: Report) -> dict[str, str]:
    """The report's drawings by name, as they stand in the page."""
    sections = result_sections(Results(report.results), report.curves, report.protocol)
    return {figure.name: figure.svg for section in sections for figure in section.figures}


def _key_figures(results: Results, protocol: Protocol) -> list[KeyFigure]:
    cell = results.cell
    made = [KeyFigure("Persons treated", cell("attrition", "n", level="treated"), ())]
    if protocol.response is not None:
        method = protocol.analyses.proportion_interval
        rate = [cell("response.remission", name, method=method) for name in ("ci_low", "ci_high")]
        made.append(
            KeyFigure(
                f"Remission, % ({method})",
                cell("response.remission", "percent", method=method),
                (Cell("95% CI"), rate[0], Cell("to"), rate[1]),
            )
        )
    made.append(
        KeyFigure(
            "Deaths",
            cell("death", "n", level="all"),
            (
                Cell("within"),
                Cell(f"{protocol.deaths.early_days} days of the last dose:"),
                cell("death", "n", level="within_30_days"),
            ),
        )
    )
    if "overall_survival" in protocol.endpoints:
        made.append(
            KeyFigure(
                "Median survival, weeks",
                cell("overall_survival", "median"),
                (
                    Cell("95% CI"),
                    cell("overall_survival", "ci_low"),
                    Cell("to"),
                    cell("overall_survival", "ci_high"),
                ),
            )
        )
    if protocol.safety is not None:
        made.append(
            KeyFigure(
                "Persons with an event of grade 3 or more",
                cell("teae", "n", level="grade_3_plus"),
                (cell("teae", "percent", level="grade_3_plus"), Cell("% of the treated")),
            )
        )
    return made


def _decisions(results: Results, protocol: Protocol) -> Table | None:
    if protocol.decision is None:
        return None
    from reports.rendering.tables import levels_table

    notes = [f"{item.name}: {item.note}" for item in protocol.decision.thresholds if item.note]
    notes.append(f"Met when the exact one-sided p is at most {protocol.decision.alpha:g}.")
    statistics = ("value", "threshold", "bound", "p", "met", "responders_short")
    return levels_table(
        results, "1", "Contract thresholds", ["decision"], statistics, notes=notes, population="treated"
    )


def _limits(results: Results, protocol: Protocol) -> list[tuple[Cell, ...]]:
    """What limits the finding, each a sentence with its numbers."""
    cell = results.cell
    said: list[tuple[Cell, ...]] = [
        (
            Cell(
                "A single arm without randomisation: the numbers describe, and compare with nothing by themselves."
            ),
        )
    ]
    if "overall_survival" in protocol.endpoints:
        said.append((Cell("Median follow-up, weeks:"), cell("follow_up", "median")))
    if "ordered" in protocol.population.index_drug.evidence:
        said.append(
            (
                Cell(
                    "Persons whose exposure is known from orders alone, a lower bound of what was not given:"
                ),
                cell("exposure.evidence", "n", level="ordered"),
            )
        )
    if protocol.response is not None:
        said.append(
            (
                Cell("Persons whose response can't be evaluated, counted as no responders:"),
                cell("response.best", "n", level="NE"),
            )
        )
    said.append(
        (
            Cell("Resources that couldn't be read, and were quarantined:"),
            cell("quality.resources", "n", level="quarantined"),
            Cell("of"),
            cell("quality.resources", "n", level="landed"),
        )
    )
    return said


def _identity_tables(report: Report) -> list[Table]:
    identity = report.identity
    about = [
        ("Study", identity["study"]),
        ("Protocol version", identity["protocol_version"]),
        ("Protocol and codelists, sha256", identity["study_sha256"]),
        ("Data cut-off", identity["data_cutoff"]),
        ("Known as of", identity["as_of"] or "everything landed"),
        ("Run started", identity["started_at"]),
        ("Python", identity["python"]),
        *((f"Package {name}", number) for name, number in sorted(identity["packages"].items())),
    ]
    inputs = [(item["site"], item["sha256"], item["bytes"], item["landed_at"]) for item in identity["inputs"]]
    return [
        plain_table("E.1", "The run", ("What", "Value"), about),
        plain_table("E.2", "Inputs", ("Site", "sha256", "Bytes", "Landed"), inputs),
        plain_table("E.3", "Codelists", ("Codelist", "Codes"), report.codelists),
    ]
