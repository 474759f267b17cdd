"""Names of the results in a reader's words; names of sources as they are."""

from __future__ import annotations

import pytest

from reports.rendering.order import groups_in_order
from reports.rendering.words import analysis_words, group_words, level_words, listed


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("week_12", "Week 12"),
        ("landmark_30", "Landmark at day 30"),
        ("within_30_days", "Within 30 days of the last dose"),
        ("after_surgery", "After surgery"),
        ("CRp", "CRp"),
        ("B-cell", "B-cell"),
        ("grade_3_plus", "Grade 3 or more"),
    ],
)
def test_a_level_is_said_in_words(level: str, words: str) -> None:
    assert level_words(level) == words


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("all", "All"),
        ("site=snuh_2", "snuh_2"),
        ("surgery=yes", "surgery: yes"),
        ("site=서울 병원", "서울 병원"),
    ],
)
def test_a_site_keeps_its_name(group: str, words: str) -> None:
    assert group_words(group) == words


def test_an_analysis_without_words_of_its_own_is_its_name() -> None:
    assert analysis_words("ventilation_incidence") == "Ventilation incidence"
    assert analysis_words("sensitivity.no_transfusion") == "Sensitivity, no transfusion"


def test_yes_comes_before_no_and_numbers_ascend() -> None:
    assert groups_in_order(["hsct=no", "hsct=yes"]) == ["hsct=yes", "hsct=no"]
    assert groups_in_order(["refractory=missing", "refractory=no", "refractory=yes"]) == [
        "refractory=yes",
        "refractory=no",
        "refractory=missing",
    ]


def test_names_are_listed_as_in_a_sentence() -> None:
    assert listed(["CR", "CRp", "PR"], "or") == "CR, CRp or PR"
    assert listed(["teae"]) == "TEAE"
    assert listed([]) == "none"
