"""Counting-process rows and landmarks, day by day."""

from __future__ import annotations

import pytest

from reports.statistics.risk_sets import InvalidSample
from reports.statistics.time_dependent import group_at_landmark, split_at_exposure

NEVER = float("nan")


def _rows(days: float, event: int, exposed_on: float) -> list[tuple[float, float, int, int]]:
    rows = split_at_exposure([days], [event], [exposed_on])
    columns = (rows.start, rows.stop, rows.event, rows.exposed)
    return [tuple(column[i].item() for column in columns) for i in range(len(rows.person))]  # type: ignore[misc]


def test_person_never_exposed_has_one_row() -> None:
    assert _rows(100, 1, NEVER) == [(0, 100, 1, 0)]


def test_person_exposed_on_the_way_has_a_row_before_and_a_row_after_which_holds_the_event() -> None:
    assert _rows(100, 1, 40) == [(0, 39.5, 0, 0), (39.5, 100, 1, 1)]


def test_exposure_on_the_day_of_the_end_precedes_it() -> None:
    assert _rows(100, 1, 100) == [(0, 99.5, 0, 0), (99.5, 100, 1, 1)]


def test_exposure_after_the_end_does_not_count() -> None:
    assert _rows(100, 0, 101) == [(0, 100, 0, 0)]


def test_exposure_on_day_0_holds_from_the_start() -> None:
    assert _rows(100, 1, 0) == [(0, 100, 1, 1)]
    assert _rows(0, 1, 0) == [(0, 0.25, 1, 1)]


def test_end_on_day_0_gets_a_length_to_be_at_risk_in() -> None:
    assert _rows(0, 1, NEVER) == [(0, 0.25, 1, 0)]
    assert _rows(0, 1, 1) == [(0, 0.25, 1, 0)]


def test_rows_of_a_person_stay_together_and_every_event_is_kept_once() -> None:
    rows = split_at_exposure([10, 20, 30], [1, 0, 1], [5, NEVER, 30])
    assert rows.person.tolist() == [0, 0, 1, 2, 2]
    assert rows.event.tolist() == [0, 1, 0, 0, 1]


def test_landmark_keeps_those_followed_past_the_day_and_groups_by_exposure_until_it() -> None:
    groups = group_at_landmark([29, 30, 31, 31, 90, 90], [10, 10, 30, 31, NEVER, 5], 30)
    assert groups.kept.tolist() == [False, False, True, True, True, True]
    assert groups.exposed.tolist() == [1, 0, 0, 1]


def test_exposure_before_the_start_is_refused() -> None:
    with pytest.raises(InvalidSample):
        split_at_exposure([10], [1], [-3])


def test_nobody_gives_no_rows() -> None:
    assert len(split_at_exposure([], [], []).person) == 0
