"""Reports to render: of the drawn study, of parts of it, and with names that try to be markup."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import polars as pl

from reports.rendering.html import Report
from reports.statistics.curves import estimate_curves
from reports.statistics.results import estimate_results
from studies.protocol import Protocol
from tests.statistics_results.drawn_study import drawn_frames, reference_protocol

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
KEY = ("analysis", "population", "group", "level", "statistic", "method")
VOID = {"meta", "link", "br", "img", "input"}


def report_of(
    frames: Mapping[str, pl.DataFrame],
    protocol: Protocol,
    *,
    simulated: bool = False,
    quarantined: list[tuple[object, ...]] | None = None,
    identity: Mapping[str, Any] | None = None,
) -> Report:
    """A report of study tables, as a run would make it; of the `quarantined` where some are given."""
    if quarantined is not None:
        places = {"site": pl.String, "rule": pl.String}
        frames = {
            **frames,
            "quality_quarantine": pl.DataFrame([row[:2] for row in quarantined], schema=places, orient="row"),
        }
    return Report(
        results=estimate_results(frames, protocol),
        curves=estimate_curves(frames, protocol),
        protocol=protocol,
        identity={
            "study": protocol.id,
            "protocol_version": protocol.version,
            "study_sha256": "ab" * 32,
            "data_cutoff": "2020-06-30",
            "as_of": None,
            "started_at": "2020-07-01T06:00:00+09:00",
            "simulated": simulated,
            "python": "3.11.2",
            "packages": {"duckdb": "1.5.5"},
            "inputs": [{"site": "north", "sha256": "cd" * 32, "bytes": 12, "landed_at": "2020-07-01"}],
            **(identity or {}),
        },
        codelists=[("index_drug", 8)],
        quarantined=quarantined or [],
    )


def drawn_report(**about: Any) -> Report:
    """The drawn study of eight persons, with every part."""
    return report_of(drawn_frames(), reference_protocol(), **about)


def bare_report() -> Report:
    """The drawn study with those parts alone that every study has, and overall survival."""
    protocol = reference_protocol()
    endpoints = {"overall_survival": protocol.endpoints["overall_survival"]}
    off: dict[str, Any] = {
        "response": None,
        "survival_by": None,
        "safety": None,
        "decision": None,
        "comparators": {},
        "comparisons": {},
    }
    changed = protocol.model_copy(
        update={
            **off,
            "endpoints": endpoints,
            "incidences": {},
            "sensitivity": {},
            "deaths": protocol.deaths.model_copy(update={"after_event": None}),
            "exposure": protocol.exposure.model_copy(update={"cycle_gap_days": None, "combination": None}),
        }
    )
    cohort = pl.col("death_class").replace("after_hsct", "later")
    frames = drawn_frames()
    return report_of({**frames, "cohort": frames["cohort"].with_columns(cohort)}, changed)


def hostile_report() -> Report:
    """The drawn study with a site, an event's class and an event's term that are markup."""
    frames = drawn_frames()
    renamed = {
        name: table.with_columns(pl.col("site").replace("north", SCRIPT))
        if "site" in table.columns
        else table
        for name, table in frames.items()
    }
    renamed["subgroup"] = frames["subgroup"].with_columns(pl.col("level").replace("north", SCRIPT))
    renamed["teae"] = renamed["teae"].with_columns(
        pl.col("pt").replace("Sepsis", IMAGE), pl.col("soc").replace("Cardiac", SCRIPT)
    )
    return report_of(
        renamed,
        reference_protocol(),
        simulated=True,
        quarantined=[(SCRIPT, IMAGE, "f" * 64, 3)],
        identity={"data_cutoff": IMAGE},
    )


def texts_of(results: pl.DataFrame) -> dict[str, str]:
    """What each row of the results is to be printed as, by its key."""
    return {"|".join(row[name] for name in KEY): row["text"] for row in results.iter_rows(named=True)}


class Page(HTMLParser):
    """The page's elements, read without a browser: tags, shown results, and the text of each section."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            key = attributes.get("data-result")
            self._open.append((tag, key))
            if key is not None:
                self.shown.append((key, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open and self._open[-1][1] is not None:
            key, text = self.shown[-1]
            self.shown[-1] = (key, text + data)
