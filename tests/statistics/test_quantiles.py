"""Summaries of numbers: by hand, and R's quantile, mean and sd."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from reports.statistics.quantiles import estimate_quantile, summarise
from reports.statistics.risk_sets import InvalidSample
from tests.statistics.agreement_with_r import disagreements, needs_r, random_data_sets, run_r


def test_quartiles_of_four_values_are_those_of_type_7() -> None:
    found = summarise([1, 2, 3, 10])
    assert (found.q1, found.median, found.q3) == (1.75, 2.5, 4.75)
    assert (found.n, found.missing, found.mean, found.min, found.max) == (4, 0, 4.0, 1.0, 10.0)
    assert found.sd == pytest.approx((50 / 3) ** 0.5)


def test_missing_values_are_counted_and_left_out() -> None:
    found = summarise(pl.Series([4, None, 6, None]))
    assert (found.n, found.missing, found.median) == (2, 2, 5.0)


def test_one_value_has_no_standard_deviation_and_none_has_nothing() -> None:
    one, nobody = summarise([7]), summarise([None])
    assert (one.sd, one.median, one.min, one.max) == (None, 7.0, 7.0, 7.0)
    assert (nobody.n, nobody.missing, nobody.mean, nobody.sd, nobody.median, nobody.max) == (
        0, 1, None, None, None, None
    )  # fmt: skip
    assert estimate_quantile([], 0.5) is None


def test_what_a_double_cannot_hold_has_no_value() -> None:
    found = summarise([1e308, 1e308, 1e308, -1e308])
    assert (found.n, found.min, found.max, found.median, found.sd) == (4, -1e308, 1e308, 1e308, None)


def test_infinite_value_is_refused() -> None:
    with pytest.raises(InvalidSample):
        summarise([1.0, float("inf")])


@needs_r
def test_summaries_agree_with_r_on_random_data_sets(tmp_path: Path) -> None:
    data_sets = list(random_data_sets(100, seed=27))
    ours = {}
    for data in data_sets:
        found = summarise(data.time)
        ours[f"{data.name} quantiles"] = [found.min, found.q1, found.median, found.q3, found.max]
        ours[f"{data.name} moments"] = [found.mean, found.sd]
        ours[f"{data.name} tail"] = [estimate_quantile(data.time, 0.05)]
    script = """
    f <- function(d) list(quantiles = quantile(d$time), moments = c(mean(d$time), sd(d$time)),
        tail = quantile(d$time, 0.05))
    """
    assert disagreements(ours, run_r(script, data_sets, tmp_path)) == []
