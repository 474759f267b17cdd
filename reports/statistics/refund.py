"""What the contract pays back where a threshold is missed, by the protocol's formula, with its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from reports.statistics.rows import NO_VALUE, Place, Row
from studies.protocol import Refund, Threshold


def refund_rows(
    place: Place, counts: tuple[int, int], threshold: Threshold, met: bool | None
) -> Iterator[Row]:
    """The refund (0 where the threshold is met, empty where nobody was treated), and a row for each input.

    `counts` has the persons with the outcome, and all.
    """
    rules = threshold.refund
    if rules is None:
        return
    persons = _failures(counts, threshold)
    shortfall = _shortfall(counts, threshold)
    share = _share(rules, shortfall)
    inputs = {"price": rules.price, "spend": rules.spend, "cap": rules.cap}
    yield _money(
        place, "refund", None if met is None else _refund(rules, persons, share, met), rules.currency
    )
    yield from (
        _money(place, f"refund_{name}", amount, rules.currency)
        for name, amount in inputs.items()
        if amount is not None
    )
    if rules.kind == "per_non_responder":
        yield place.count("refund_persons", persons)
    if rules.kind == "tiered":
        yield place.number("refund_shortfall", None if shortfall is None else float(shortfall), 1)
    if rules.kind != "per_non_responder":
        yield place.number("refund_share", share, 1)


def _refund(rules: Refund, persons: int, share: float | None, met: bool) -> float:
    if met:
        return 0.0
    if rules.kind == "per_non_responder":
        amount = (rules.price or 0) * persons
    else:
        amount = (rules.spend or 0) * (share or 0) / 100
    return min(amount, rules.cap) if rules.cap is not None else amount


def _share(rules: Refund, shortfall: Fraction | None) -> float | None:
    """In percent of the spend; of tiers that of the highest that the shortfall reaches, 0 below the lowest."""
    if rules.kind != "tiered":
        return rules.share_percent
    if shortfall is None:
        return None
    reached = [tier for tier in rules.tiers if Fraction(str(tier.shortfall_at_least)) <= shortfall]
    return reached[-1].share_percent if reached else 0.0


def _failures(counts: tuple[int, int], threshold: Threshold) -> int:
    """Persons in whom the drug didn't do what the contract asks for: without a response, or with the harm."""
    with_outcome, all_persons = counts
    return all_persons - with_outcome if threshold.at_least is not None else with_outcome


def _shortfall(counts: tuple[int, int], threshold: Threshold) -> Fraction | None:
    """By how many percentage points the estimate misses the threshold, at least 0; exact, as tiers are."""
    with_outcome, all_persons = counts
    if not all_persons:
        return None
    beyond = Fraction(100 * with_outcome, all_persons) - Fraction(str(threshold.limit))
    return max(Fraction(0), -beyond if threshold.at_least is not None else beyond)


def _money(place: Place, statistic: str, amount: float | None, currency: str) -> Row:
    if amount is None:
        return place.row(statistic, None, NO_VALUE)
    exact = Decimal(repr(float(amount))).quantize(Decimal("0.01"), ROUND_HALF_UP)
    text = f"{exact:,f}".removesuffix(".00")
    return place.row(statistic, amount, f"{text} {currency}")
