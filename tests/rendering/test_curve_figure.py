"""Curves as drawings: corners, marks and numbers under them, checked against places computed by hand."""

from __future__ import annotations

import re

import polars as pl
import pytest

from reports.rendering.curve_figure import (
    LEFT,
    PLOT_HEIGHT,
    PLOT_WIDTH,
    TOP,
    AtRisk,
    Curve,
    cut,
    draw_curve,
    is_crowded,
)
from reports.rendering.lookup import Cell
from reports.statistics.curves import SCHEMA


def curve(steps: list[tuple[float, float, int]], weeks: tuple[int, ...] = ()) -> Curve:
    rows = [("c", week, p, None, None, 1, 1, censored) for week, p, censored in steps]
    marks = tuple(AtRisk(week, Cell(str(week + 1), f"c|treated|all|week_{week}|at_risk|")) for week in weeks)
    return Curve(
        "A curve", "It falls.", "Probability", pl.DataFrame(rows, schema=SCHEMA, orient="row"), 1.0, marks
    )


def test_a_step_goes_level_and_then_down() -> None:
    svg = draw_curve(curve([(5.0, 0.5, 0), (10.0, 0.25, 0)]))
    path = re.findall(r'<path d="(M[^Z"]*)" fill="none"', svg)[0]
    corners = [tuple(map(float, point.split(","))) for point in path[1:].split(" L")]
    middle, right = LEFT + PLOT_WIDTH / 2, float(LEFT + PLOT_WIDTH)
    low = [TOP + PLOT_HEIGHT * (1 - p) for p in (1, 0.5, 0.25)]
    assert corners == [
        (LEFT, low[0]), (middle, low[0]), (middle, low[1]), (right, low[1]), (right, pytest.approx(low[2], abs=0.05)),
    ]  # fmt: skip


def test_each_censored_time_has_a_mark() -> None:
    with_marks = draw_curve(curve([(1.0, 1.0, 2), (2.0, 0.5, 0), (3.0, 0.5, 1)]))
    without = draw_curve(curve([(1.0, 1.0, 0), (2.0, 0.5, 0), (3.0, 0.5, 0)]))
    assert with_marks.count("<line") - without.count("<line") == 2


def test_numbers_at_risk_bear_the_key_of_their_row() -> None:
    svg = draw_curve(curve([(12.0, 0.5, 0)], (0, 4, 8)))
    assert re.findall(r'data-result="c\|treated\|all\|week_(\d+)\|at_risk\|">(\d+)<', svg) == [
        ("0", "1"),
        ("4", "5"),
        ("8", "9"),
    ]


def test_a_week_after_the_longest_time_has_no_number() -> None:
    assert "week_52" not in draw_curve(curve([(12.0, 0.5, 0)], (0, 4, 52)))


def test_weeks_that_lie_on_each_other_are_crowded() -> None:
    assert is_crowded(curve([(400.0, 0.5, 0)], (0, 1, 2)))
    assert not is_crowded(curve([(52.0, 0.5, 0)], (0, 4, 8, 52)))


def test_a_cut_curve_goes_on_level_to_the_cut() -> None:
    early = cut(curve([(5.0, 0.5, 1), (100.0, 0.25, 1)]), 52)
    assert early.steps.select("week", "probability", "censored").rows() == [(5.0, 0.5, 1), (52.0, 0.5, 0)]
    assert early.longest == 52


def test_texts_are_escaped() -> None:
    drawn = Curve('"><script>', "a & b", "<b>", curve([(1.0, 0.5, 0)]).steps, 1.0)
    assert "<script>" not in draw_curve(drawn)
    assert "a &amp; b" in draw_curve(drawn)
