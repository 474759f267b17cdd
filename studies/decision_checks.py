"""What is wrong with the contract's thresholds and refunds in view of the rest of the protocol."""

from __future__ import annotations

from collections.abc import Iterator

from studies.comparator_checks import counted_levels, level_problems
from studies.criteria_checks import Problem
from studies.marked_yaml import KeyPath
from studies.protocol import Protocol, Refund

# What each kind of refund is computed from, beside the cap.
INPUTS = {
    "share_of_spend": ("spend", "share_percent"),
    "per_non_responder": ("price",),
    "tiered": ("spend", "tiers"),
}


def decision_problems(protocol: Protocol) -> Iterator[Problem]:
    """Every problem of the section `decision`."""
    if protocol.decision is None:
        return
    counted = counted_levels(protocol)
    names = [threshold.name for threshold in protocol.decision.thresholds]
    for number, threshold in enumerate(protocol.decision.thresholds):
        path: KeyPath = ("decision", "thresholds", number)
        yield from level_problems(path, threshold.analysis, threshold.level, counted)
        if threshold.name in names[:number]:
            yield (*path, "name"), f'"{threshold.name}" stands here twice; rename one'
        if (threshold.at_least is None) == (threshold.at_most is None):
            yield path, "write one of `at_least` and `at_most`"
        elif threshold.refund is not None:
            yield from _refund_problems((*path, "refund"), threshold.refund)


def _refund_problems(path: KeyPath, refund: Refund) -> Iterator[Problem]:
    needed = INPUTS[refund.kind]
    given = [
        key for key in ("spend", "share_percent", "price", "tiers") if getattr(refund, key) not in (None, [])
    ]
    for key in needed:
        if key not in given:
            yield (*path, key), f"missing; {refund.kind} is computed from it"
    for key in given:
        if key not in needed:
            yield (*path, key), f"isn't used by {refund.kind}; remove it"
    starts = [tier.shortfall_at_least for tier in refund.tiers]
    for number in range(1, len(starts)):
        if starts[number] <= starts[number - 1]:
            yield (*path, "tiers", number), "not greater than the one before; write them rising, each once"
