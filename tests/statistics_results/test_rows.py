"""Text of numbers, the decision's arithmetic, and results.csv byte by byte."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from reports.statistics.decision import responders_short, threshold_rows
from reports.statistics.results import estimate_results
from reports.statistics.results_csv import number_text, read_results, results_bytes, write_results
from reports.statistics.rows import InvalidResult, Place, p_text, results_frame, rounded
from studies.protocol import Threshold
from tests.statistics_results.drawn_study import drawn_frames, reference_protocol


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (6.25, 1, "6.3"), (45.0, 1, "45.0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (1e-9, 2, "0.00"),
        (-6.25, 1, "-6.3"), (12, 0, "12"), (167.60000000000002, 1, "167.6"),
    ],
)  # fmt: skip
def test_halves_are_rounded_away_from_zero(value: float, decimals: int, text: str) -> None:
    assert rounded(value, decimals) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0009, "<0.001"), (0.001, "0.0010"), (0.0095, "0.0095"), (0.0496, "0.050"), (1, "1.000")],
)
def test_p_has_three_decimals_and_four_below_a_hundredth(p: float, text: str) -> None:
    assert p_text(p) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (60.0, "60"), (0.1, "0.1"), (1 / 3, "0.3333333333333333"), (-0.0, "0"), (1e-7, "1e-07"),
        (45.00000000000001, "45.00000000000001"), (2.0**60, "1.152921504606847e+18"),
    ],
)  # fmt: skip
def test_a_number_is_its_shortest_exact_decimal(value: float | None, text: str) -> None:
    assert number_text(value) == text
    assert value is None or float(text) == value


def test_the_published_threshold_27_of_60_is_met_at_30_percent() -> None:
    threshold = Threshold(name="remission", analysis="response.remission", at_least=30)
    rows = {row.statistic: row for row in threshold_rows(27, 60, threshold, 0.025)}
    assert rows["value"].text == "45.0"
    assert rows["met"].value == 1
    assert rows["responders_short"].value == 0
    bound = rows["bound"].value
    assert bound is not None
    assert bound > 30


def test_responders_short_counts_to_the_first_number_that_meets_the_threshold() -> None:
    # binom.test(k, 8, 0.3, "greater"): 5 gives 0.058, 6 gives 0.0113.
    threshold = Threshold(name="x", analysis="response.remission", at_least=30)
    assert [responders_short(k, 8, threshold, 0.025) for k in (0, 5, 6, 8)] == [6, 1, 0, 0]
    # 2 of 2 have p = 0.09: not even all would do; and among nobody nothing would.
    assert responders_short(1, 2, threshold, 0.025) is None
    assert responders_short(0, 0, threshold, 0.025) is None


def test_two_rows_for_one_place_are_an_error() -> None:
    row = Place("death", level="all").count("n", 1)
    with pytest.raises(InvalidResult, match="death has two rows"):
        results_frame([row, row])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_finite_number_is_an_error(value: float) -> None:
    with pytest.raises(InvalidResult):
        Place("follow_up").row("median", value, "")


def test_results_come_back_from_the_file_as_they_were(tmp_path: Path) -> None:
    results = estimate_results(drawn_frames(), reference_protocol())
    write_results(results, tmp_path / "results.csv")
    back = read_results(tmp_path / "results.csv")
    assert_frame_equal(back, results, check_exact=True)
    write_results(back.reverse(), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "results.csv").read_bytes()


def test_the_file_is_utf_8_with_lf_and_quotes_where_needed() -> None:
    rows = [
        Place("teae.pt", level='Pain, "dull"\nor 통증').count("n", 3),
        Place("follow_up").number("median", None, 1, method="km log-log"),
    ]
    assert (
        results_bytes(results_frame(rows))
        == (
            "analysis,population,group,level,statistic,value,text,method\n"
            "follow_up,treated,all,,median,,-,km log-log\n"
            'teae.pt,treated,all,"Pain, ""dull""\nor 통증",n,3,3,\n'
        ).encode()
    )


def test_whole_numbers_in_the_file_have_no_point() -> None:
    content = results_bytes(estimate_results(drawn_frames(), reference_protocol())).decode()
    assert "\nattrition,treated,all,treated,n,8,8,\n" in content
    assert "\nresponse.remission,treated,all,,percent,37.5,37.5,wald\n" in content


def test_levels_sort_by_code_point_as_text() -> None:
    frame = results_frame(
        [Place("a", level=level).count("n", 1) for level in ("week_12", "b", "week_104", "B")]
    )
    assert frame["level"].to_list() == ["B", "b", "week_104", "week_12"]
    assert frame.schema["value"] == pl.Float64
