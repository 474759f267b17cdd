"""Agreement of two classifications of the same persons: cross-table, observed agreement, Cohen's kappa."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reports.statistics.risk_sets import InvalidSample


@dataclass(frozen=True)
class Agreement:
    """`observed` in 0-1; None when there is nobody. `kappa` None too when both always give one category."""

    n: int
    observed: float | None
    kappa: float | None


def cross_table(
    first: Sequence[Hashable], second: Sequence[Hashable], categories: Sequence[Hashable]
) -> list[list[int]]:
    """Counts of pairs: a row for each category of `first`, a column for each of `second`, zeros included.

    Raises InvalidSample on unequal lengths, or a value that is no category.
    """
    if len(first) != len(second):
        raise InvalidSample(f"{len(first)} first values but {len(second)} second ones")
    position = {category: i for i, category in enumerate(categories)}
    if not (set(first) | set(second)) <= set(position):
        raise InvalidSample("a value is none of the categories")
    table = [[0] * len(position) for _ in position]
    for one, other in zip(first, second, strict=True):
        table[position[one]][position[other]] += 1
    return table


def estimate_agreement(table: ArrayLike) -> Agreement:
    """Observed agreement and unweighted kappa of a square table of counts. Source: Cohen 1960.

    Kappa compares the observed agreement with what the margins alone would give; where these give
    certain agreement it has no value. Raises InvalidSample when the table isn't square.
    """
    counts = np.asarray(table, dtype=np.int64)
    if counts.size and (counts.ndim != 2 or counts.shape[0] != counts.shape[1]):
        raise InvalidSample("the table must be square")
    n = int(counts.sum())
    if n == 0:
        return Agreement(0, None, None)
    agreed = int(np.trace(counts))
    # In whole numbers: certain agreement by chance is then exactly n * n, not nearly.
    by_chance = int(counts.sum(axis=0) @ counts.sum(axis=1))
    kappa = None if by_chance == n * n else (n * agreed - by_chance) / (n * n - by_chance)
    return Agreement(n, agreed / n, kappa)
