"""Shuffled rows change nothing; nobody, one person, or all dead on day 0 give empty values, no error."""

from __future__ import annotations

import polars as pl
import pytest

from reports.statistics.groups import IncompleteTable
from reports.statistics.results import estimate_results
from reports.statistics.results_csv import results_bytes
from tests.statistics_results.drawn_study import drawn_frames, empty_frames, only, reference_protocol

COUNTS = ("n", "denominator", "events", "competing", "at_risk", "missing", "groups", "df", "person_years")
PROTOCOL = reference_protocol()


def value(results: pl.DataFrame, analysis: str, level: str, statistic: str, method: str = "") -> float | None:
    """The value of a row of all."""
    key = {"analysis": analysis, "level": level, "statistic": statistic, "method": method, "group": "all"}
    found = results.filter(pl.all_horizontal(pl.col(name) == cell for name, cell in key.items()))
    return found["value"].item()


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_in_the_tables_changes_no_byte(seed: int) -> None:
    frames = drawn_frames()
    shuffled = {
        name: table.sample(fraction=1, shuffle=True, seed=seed + i)
        for i, (name, table) in enumerate(frames.items())
    }
    expected = results_bytes(estimate_results(frames, PROTOCOL))
    assert results_bytes(estimate_results(shuffled, PROTOCOL)) == expected


def test_a_study_without_treated_persons_has_counts_of_0_and_empty_values() -> None:
    results = estimate_results(empty_frames(), PROTOCOL).filter(pl.col("level") != "control")
    counted = pl.col("statistic").is_in(COUNTS)
    assert set(results.filter(counted)["value"]) == {0}
    estimates = results.filter(~counted & ~(pl.col("statistic") == "threshold"))
    assert estimates["value"].null_count() == estimates.height
    assert set(estimates["text"]) == {"-"}


def test_a_group_by_hsct_without_persons_prints_0_and_empty_values() -> None:
    results = estimate_results(only(drawn_frames(), "a2", "a3"), PROTOCOL)
    empty = results.filter((pl.col("group") == "hsct=yes") & (pl.col("analysis") == "response.remission"))
    found = {(row["statistic"], row["value"]) for row in empty.to_dicts()}
    assert found == {("n", 0), ("denominator", 0), ("percent", None), ("ci_low", None), ("ci_high", None)}


def test_one_person_has_no_spread_and_no_comparison() -> None:
    results = estimate_results(only(drawn_frames(), "a1"), PROTOCOL)
    assert value(results, "baseline.age", "", "median") == 2
    assert value(results, "baseline.age", "", "sd") is None
    assert value(results, "response.remission", "", "percent", "wald") == 100
    # Both exact limits of 1 of 1 in closed form: 0.025 and 1.
    assert value(results, "response.remission", "", "ci_low", "clopper-pearson") == pytest.approx(2.5)
    assert value(results, "overall_survival", "", "median", "km log-log") is None
    assert value(results, "survival_by_hsct", "naive", "n") == 1
    assert value(results, "survival_by_hsct", "naive", "hr", "efron") is None
    assert value(results, "survival_by_hsct", "mantel_byar", "p") is None


def test_all_dead_on_day_0_have_a_median_of_0_and_no_later_survival() -> None:
    frames = drawn_frames()
    dead = pl.col("endpoint").is_in(["overall_survival", "event_free_survival"])
    days = pl.when(dead).then(0).otherwise(pl.col("days")).alias("days")
    status = pl.when(dead).then(1).otherwise(pl.col("status")).alias("status")
    frames["endpoint"] = frames["endpoint"].with_columns(days, status)
    frames["time_dependent"] = frames["time_dependent"].with_columns(
        pl.lit(0).alias("days"),
        pl.lit(1).alias("status"),
        pl.lit(None, pl.Int64).alias("comparing_event_day"),
    )
    results = estimate_results(frames, PROTOCOL)
    assert value(results, "overall_survival", "", "median", "km log-log") == 0
    assert value(results, "overall_survival", "week_4", "survival", "km log-log") is None
    assert value(results, "overall_survival", "week_4", "at_risk") == 0
    assert value(results, "follow_up", "", "median", "km log-log") is None
    assert value(results, "survival_by_hsct", "time_dependent", "events") == 8
    assert value(results, "survival_by_hsct", "landmark_30", "n") == 0


@pytest.mark.parametrize("persons", [(), ("a1",), ("b4",), ("a1", "b4"), ("a4",), ("a2", "b2")])
def test_no_value_and_no_text_is_ever_nan_or_infinite(persons: tuple[str, ...]) -> None:
    results = estimate_results(only(drawn_frames(), *persons), PROTOCOL)
    assert results.filter(pl.col("value").is_nan() | pl.col("value").is_infinite()).is_empty()
    words = pl.col("text").str.to_lowercase()
    assert results.filter(words.is_in(["", "nan", "inf", "none", "null"])).is_empty()


def test_a_table_that_lacks_a_treated_person_is_an_error_and_no_smaller_denominator() -> None:
    frames = drawn_frames()
    frames["response"] = frames["response"].filter(pl.col("person_id") != "a1")
    with pytest.raises(IncompleteTable, match="response lacks a treated person"):
        estimate_results(frames, PROTOCOL)


def test_a_person_twice_is_an_error() -> None:
    frames = drawn_frames()
    frames["endpoint"] = pl.concat([frames["endpoint"], frames["endpoint"].head(1)])
    with pytest.raises(IncompleteTable, match="overall_survival has a person twice"):
        estimate_results(frames, PROTOCOL)


def test_a_missing_table_is_named() -> None:
    frames = drawn_frames()
    del frames["teae"]
    with pytest.raises(IncompleteTable, match="table teae is missing"):
        estimate_results(frames, PROTOCOL)


def test_an_undeclared_level_is_an_error_that_does_not_repeat_it() -> None:
    frames = drawn_frames()
    frames["cohort"] = frames["cohort"].with_columns(pl.lit("secret").alias("sex"))
    with pytest.raises(IncompleteTable, match=r"baseline\.sex has a value that is none") as raised:
        estimate_results(frames, PROTOCOL)
    assert "secret" not in str(raised.value)
