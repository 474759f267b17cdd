"""Section 14.2.9 with control patients: every number stands in a table, and what weights can't do stands beside."""

from __future__ import annotations

import polars as pl
import pytest

from reports.rendering.html import Report, figures_of, render_html
from studies.protocol import Control
from tests.rendering.reports import Page, report_of, texts_of
from tests.statistics_results.drawn_study import drawn_frames, reference_protocol

RULES = Control(
    codelist="other_drug",
    covariates=["age", "sex"],
    outcomes=["response.remission", "overall_survival"],
    missing="category",
    trim=0.05,
    replicates=100,
    seed=1,
)


@pytest.fixture(scope="module")
def report() -> Report:
    """The drawn study against itself: the controls are its persons under other names."""
    frames = drawn_frames()
    for name in ("cohort", "response", "endpoint"):
        frames[f"control_{name}"] = frames[name].with_columns(
            pl.concat_str(pl.lit("c"), "person_id").alias("person_id")
        )
    return report_of(frames, reference_protocol().model_copy(update={"control": RULES}))


def test_every_number_of_the_controls_stands_in_a_table_of_its_section(report: Report) -> None:
    page = Page(render_html(report))
    shown = [key for key, _ in page.shown]
    expected = {key for key in texts_of(report.results) if key.startswith("control.")}
    assert len(expected) > 100
    trimmed = {key for key in expected if key.startswith("control.balance|") and "_trimmed" in key}
    assert {
        key for key in expected - trimmed if shown.count(key) < 2 and not key.startswith("control.balance|")
    } == set()


def test_the_section_says_what_weights_cannot_do(report: Report) -> None:
    html = render_html(report)
    assert "Weights balance what was measured, and nothing else" in html
    assert "balance" in figures_of(report)


def test_a_study_against_itself_differs_in_nothing(report: Report) -> None:
    chosen = report.results.filter(
        (pl.col("analysis") == "control.response.remission") & (pl.col("statistic") == "difference")
    )
    values = chosen.filter(pl.col("level").is_in(["unweighted", "ate", "overlap"]))["value"].to_list()
    assert values == pytest.approx([0, 0, 0], abs=1e-9)
