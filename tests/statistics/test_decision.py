"""Thresholds of a contract: exact p and bound as R's binom.test has them (R 4.2), refunds by hand."""

from __future__ import annotations

from typing import Any

import pytest

from reports.statistics.decision import threshold_rows
from reports.statistics.rows import Row
from studies.protocol import Threshold

ALPHA = 0.025


def answer(responders: int, persons: int, **rules: Any) -> dict[str, Row]:
    threshold = Threshold.model_validate({"name": "x", "analysis": "response.remission", **rules})
    return {row.statistic: row for row in threshold_rows(responders, persons, threshold, ALPHA)}


# binom.test(k, n, limit, alternative = "greater" or "less", conf.level = 0.975): p.value, and conf.int in percent.
EXACT = [
    ("at_least", 27, 60, 30, 0.0099608813827837019, 32.1221523463357),
    ("at_least", 24, 60, 30, 0.063238129965197967, 27.5621578735535),
    ("at_least", 60, 60, 30, 4.2391158275216023e-32, 94.0370507713833),
    ("at_least", 0, 60, 30, 1, 0),
    ("at_least", 0, 1, 50, 1, 0),
    ("at_least", 1, 1, 50, 0.5, 2.5),
    ("at_least", 1, 1, 2, 0.02, 2.5),
    ("at_most", 24, 60, 60, 0.0013763243616441655, 53.4594562688572),
    ("at_most", 30, 60, 60, 0.074623694351427128, 63.1937968057563),
    ("at_most", 3, 8, 30, 0.80589565, 75.5136783633448),
    ("at_most", 0, 8, 30, 0.057648009999999958, 36.9416647552819),
    ("at_most", 0, 1, 50, 0.5, 97.5),
    ("at_most", 1, 1, 50, 1, 100),
]


@pytest.mark.parametrize(("side", "k", "n", "limit", "p", "bound"), EXACT)
def test_p_and_bound_are_those_of_binom_test(
    side: str, k: int, n: int, limit: float, p: float, bound: float
) -> None:
    rows = answer(k, n, **{side: limit})
    assert rows["p"].value == pytest.approx(p, rel=1e-8, abs=1e-300)
    assert rows["bound"].value == pytest.approx(bound, rel=1e-8)
    assert rows["value"].value == pytest.approx(100 * k / n)
    assert rows["met"].value == float(p <= ALPHA)


@pytest.mark.parametrize("side", ["at_least", "at_most"])
def test_met_is_what_the_bound_says_for_every_count(side: str) -> None:
    for k in range(41):
        rows = answer(k, 40, **{side: 35})
        bound = rows["bound"].value
        assert bound is not None
        assert rows["met"].value == float(bound >= 35 if side == "at_least" else bound <= 35)


@pytest.mark.parametrize(
    ("side", "k", "n", "limit", "short", "text"),
    [
        # By binom.test 26 of 60 are the fewest that meet 30, and 27 of 60 the most that meet a most of 60.
        ("at_least", 24, 60, 30, 2, "2"),
        ("at_least", 26, 60, 30, 0, "0"),
        ("at_most", 30, 60, 60, 3, "3"),
        ("at_most", 27, 60, 60, 0, "0"),
        ("at_least", 1, 2, 30, None, "not estimable (even all 2 would not do)"),
        ("at_least", 60, 60, 100, None, "not estimable (even all 60 would not do)"),
        ("at_most", 3, 8, 30, None, "not estimable (even none would not do)"),
        ("at_least", 0, 0, 30, None, "-"),
    ],
)
def test_how_many_more_responders_would_have_changed_the_answer(
    side: str, k: int, n: int, limit: float, short: int | None, text: str
) -> None:
    row = answer(k, n, **{side: limit})["responders_short"]
    assert (row.value, row.text) == (short, text)


def test_nobody_gives_empty_values_and_owes_nothing_that_is_known() -> None:
    rows = answer(0, 0, at_least=30, refund={"kind": "per_non_responder", "currency": "KRW", "price": 5})
    assert {name for name, row in rows.items() if row.value is not None} == {
        "threshold", "refund_price", "refund_persons",
    }  # fmt: skip
    assert rows["refund"].text == "-"


SHARE = {"kind": "share_of_spend", "currency": "KRW", "spend": 1_200_000_000, "share_percent": 25}
PRICE = {"kind": "per_non_responder", "currency": "EUR", "price": 10_000.5}
TIERS = {
    "kind": "tiered",
    "currency": "KRW",
    "spend": 1_000_000,
    "tiers": [
        {"shortfall_at_least": 0, "share_percent": 5},
        {"shortfall_at_least": 5, "share_percent": 20},
        {"shortfall_at_least": 10, "share_percent": 50},
    ],
}


@pytest.mark.parametrize(
    ("k", "rules", "refund", "text"),
    [
        (12, {"at_least": 30, "refund": SHARE}, 300_000_000, "300,000,000 KRW"),
        (12, {"at_least": 30, "refund": {**SHARE, "cap": 1e8}}, 100_000_000, "100,000,000 KRW"),
        (27, {"at_least": 30, "refund": SHARE}, 0, "0 KRW"),
        # 48 of 60 without a response; of deaths the 30 with it.
        (12, {"at_least": 30, "refund": PRICE}, 480_024, "480,024 EUR"),
        (30, {"at_most": 40, "refund": PRICE}, 300_015, "300,015 EUR"),
        # 13 of 60 are 8.3 points short, 12 exactly 10; 24 are not short, and not met.
        (13, {"at_least": 30, "refund": TIERS}, 200_000, "200,000 KRW"),
        (12, {"at_least": 30, "refund": TIERS}, 500_000, "500,000 KRW"),
        (24, {"at_least": 30, "refund": TIERS}, 50_000, "50,000 KRW"),
        (27, {"at_least": 30, "refund": TIERS}, 0, "0 KRW"),
        (21, {"at_least": 40.1, "refund": {**TIERS, "tiers": TIERS["tiers"][1:]}}, 200_000, "200,000 KRW"),
        (24, {"at_least": 30, "refund": {**TIERS, "tiers": TIERS["tiers"][1:]}}, 0, "0 KRW"),
    ],
)  # fmt: skip
def test_a_refund_is_what_the_formula_gives(k: int, rules: dict[str, Any], refund: float, text: str) -> None:
    row = answer(k, 60, **rules)["refund"]
    assert row.value == pytest.approx(refund)
    assert row.text == text


def test_each_input_of_a_refund_has_its_row() -> None:
    def inputs(refund: dict[str, Any]) -> dict[str, float | None]:
        rows = answer(12, 60, at_least=30, refund=refund)
        return {name: row.value for name, row in rows.items() if name.startswith("refund_")}

    assert inputs(SHARE) == {"refund_spend": 1.2e9, "refund_share": 25}
    assert inputs({**PRICE, "cap": 7}) == {"refund_price": 10_000.5, "refund_cap": 7, "refund_persons": 48}
    assert inputs(TIERS) == {"refund_spend": 1e6, "refund_shortfall": 10, "refund_share": 50}
