"""Observed agreement and Cohen's kappa: published tables, and where they have no value."""

from __future__ import annotations

import pytest

from reports.statistics.agreement import cross_table, estimate_agreement
from reports.statistics.risk_sets import InvalidSample


def test_kappa_of_a_two_by_two_table_by_hand() -> None:
    # 35 of 50 agree; by chance 25/50 x 30/50 + 25/50 x 20/50 = 0.5: kappa 0.4.
    found = estimate_agreement([[20, 5], [10, 15]])
    assert (found.n, found.observed) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4, rel=1e-14)


def test_kappa_of_cohens_own_example_is_the_published_one() -> None:
    # Cohen 1960, table 1, in whole numbers of 200: kappa .492.
    found = estimate_agreement([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    assert (found.n, found.observed) == (200, 0.7)
    assert found.kappa == pytest.approx(0.492, abs=0.0005)


def test_perfect_agreement_is_1_and_certain_disagreement_is_negative() -> None:
    assert estimate_agreement([[3, 0], [0, 2]]).kappa == 1.0
    assert estimate_agreement([[0, 1], [1, 0]]).kappa == -1.0


def test_kappa_has_no_value_where_both_always_give_one_category() -> None:
    found = estimate_agreement([[7, 0], [0, 0]])
    assert (found.observed, found.kappa) == (1.0, None)


def test_nobody_gives_no_agreement() -> None:
    for table in ([], [[0, 0], [0, 0]]):
        found = estimate_agreement(table)
        assert (found.n, found.observed, found.kappa) == (0, None, None)


def test_cross_table_keeps_the_order_of_the_categories_and_its_zeros() -> None:
    table = cross_table(["CR", "NR", "CR"], ["CR", "CR", "NE"], ["CR", "NR", "NE"])
    assert table == [[1, 0, 1], [1, 0, 0], [0, 0, 0]]
    with pytest.raises(InvalidSample):
        cross_table(["CR"], ["other"], ["CR"])
    with pytest.raises(InvalidSample):
        estimate_agreement([[1, 2, 3], [1, 2, 3]])
