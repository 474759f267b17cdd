"""Rows of hazard ratios: Cox's, and where its likelihood has no maximum Firth's beside it, with their cautions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from numpy.typing import ArrayLike

from reports.statistics.cautions import CAUTIONS, PENALISED, Caution, caution_row
from reports.statistics.cox import HazardRatio, estimate_hazard_ratios
from reports.statistics.firth import estimate_firth
from reports.statistics.joint_firth import estimate_joint_firth
from reports.statistics.rows import NO_VALUE, Place, Row


def estimate_guarded(
    time: ArrayLike, event: ArrayLike, covariates: Mapping[str, ArrayLike], *, start: ArrayLike | None = None
) -> dict[str, list[HazardRatio]]:
    """For each covariate of one model its hazard ratio by Cox, and where that has none also the penalised one.

    A ratio is never infinite: an estimate that can't be had is empty, with its reason.
    """
    plain = estimate_hazard_ratios(time, event, covariates, start=start)
    if all(fit.hr is not None for fit in plain.values()):
        return {name: [fit] for name, fit in plain.items()}
    penalised = _penalised(time, event, covariates, start)
    return {name: [plain[name], *(fit for fit in (penalised[name],) if fit.hr is not None)] for name in plain}


def _penalised(
    time: ArrayLike, event: ArrayLike, covariates: Mapping[str, ArrayLike], start: ArrayLike | None
) -> dict[str, HazardRatio]:
    if len(covariates) == 1:
        # Of one covariate counts at risk are enough, however many persons there are.
        return {name: estimate_firth(time, event, values, start=start) for name, values in covariates.items()}
    return estimate_joint_firth(time, event, covariates, start=start)


def hazard_rows(place: Place, persons: int, fits: list[HazardRatio]) -> Iterator[Row]:
    """`n` and `events`, then ratio, limits, p and cautions by each method."""
    yield place.count("n", persons)
    yield place.count("events", fits[0].events)
    for fit in fits:
        yield from _ratio_rows(place, fit)


def _ratio_rows(place: Place, fit: HazardRatio) -> Iterator[Row]:
    empty = NO_VALUE if fit.reason is None or fit.n == 0 else f"not estimable ({_words(fit.reason)})"
    yield place.number("hr", fit.hr, 2, method=fit.method, empty=empty)
    yield place.number("ci_low", fit.ci_low, 2, method=fit.method)
    yield place.number("ci_high", fit.ci_high, 2, method=fit.method)
    yield place.p(fit.p, method=fit.method)
    if fit.hr is not None:
        for caution in _cautions(fit):
            yield caution_row(place, caution, fit.method)


def _cautions(fit: HazardRatio) -> Iterator[Caution]:
    if fit.method == "firth":
        yield PENALISED
    for name in fit.warnings:
        yield CAUTIONS.get(name, Caution("of_the_fit", f"The fit gave a warning: {name}."))


def _words(reason: str) -> str:
    return reason.replace("_", " ")
