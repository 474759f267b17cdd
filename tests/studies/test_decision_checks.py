"""Thresholds and refunds of a protocol: the one line that each mistake gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.reading import load_study
from tests.studies.test_reading import change, error, folder

__all__ = ["folder"]

GIVEN = "      at_least: 30                  # percent\n"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("      level: CR\n      at_least: 30\n", "decision.thresholds[1].level: response.remission has no levels"),
        ("", "decision.thresholds[1]: write one of `at_least` and `at_most`"),
        ("      at_least: 30\n      at_most: 40\n", "decision.thresholds[1]: write one of `at_least` and `at_most`"),
        ("      at_most: 101\n", "decision.thresholds[1].at_most: "),
        (
            "      at_least: 30\n      refund: {kind: tierd, currency: KRW}\n",
            "decision.thresholds[1].refund.kind: not one of share_of_spend, per_non_responder, tiered; did you mean",
        ),
        (
            "      at_least: 30\n      refund: {kind: share_of_spend, currency: KRW, spend: 5}\n",
            "decision.thresholds[1].refund.share_percent: missing; share_of_spend is computed from it",
        ),
        (
            "      at_least: 30\n      refund: {kind: per_non_responder, currency: KRW, price: 5, spend: 5}\n",
            "decision.thresholds[1].refund.spend: isn't used by per_non_responder; remove it",
        ),
        (
            "      at_least: 30\n      refund: {kind: per_non_responder, currency: KRW, price: 1e300}\n",
            "decision.thresholds[1].refund.price: input should be less than or equal to 1000000000000000;",
        ),
        (
            "      at_least: 30\n      refund:\n        kind: tiered\n        currency: KRW\n        spend: 5\n"
            "        tiers:\n          - {shortfall_at_least: 5, share_percent: 5}\n"
            "          - {shortfall_at_least: 5, share_percent: 9}\n",
            "decision.thresholds[1].refund.tiers[2]: not greater than the one before",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_key(folder: Path, written: str, message: str) -> None:
    change(folder, GIVEN, written)
    assert message in error(folder)


def test_a_threshold_may_be_a_most_of_deaths(folder: Path) -> None:
    change(
        folder,
        "      analysis: response.remission\n      at_least",
        "      analysis: death\n      level: all\n      at_most",
    )
    decision = load_study(str(folder)).protocol.decision
    assert decision is not None
    assert (decision.thresholds[0].level, decision.thresholds[0].limit) == ("all", 30)
