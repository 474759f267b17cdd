"""Survival by a transplant that changes nothing: the naive comparison finds a benefit, the other three don't.

Simulated studies of the reference study's size: 60 persons, some 16 transplanted, some 24 dead. The true hazard
ratio is 1.0. Averages are judged by their own Monte Carlo error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.statistics.cox import estimate_hazard_ratio
from reports.statistics.firth import estimate_firth
from reports.statistics.kaplan_meier import estimate_curve, estimate_survival_at
from reports.statistics.logrank import estimate_log_rank, estimate_mantel_byar
from reports.statistics.partial_likelihood import likelihood, risk_table
from reports.statistics.risk_sets import sample
from reports.statistics.time_dependent import ExposureRows, group_at_landmark, split_at_exposure

STUDIES, PERSONS, LANDMARK, HALF_YEAR = 400, 60, 60, 182
DEATH, TRANSPLANT, END = 400.0, 500.0, (60.0, 400.0)  # mean days to each, and when follow-up ends


@dataclass(frozen=True)
class Study:
    """Days of follow-up, whether they ended by death, and the day of the transplant or NaN."""

    days: NDArray[np.float64]
    died: NDArray[np.int64]
    transplant: NDArray[np.float64]

    @property
    def rows(self) -> ExposureRows:
        return split_at_exposure(self.days, self.died, self.transplant)


@dataclass(frozen=True)
class Found:
    """What each analysis found in each study: logs of hazard ratios, scores at a ratio of 1, and p-values."""

    naive: NDArray[np.float64]
    landmark: NDArray[np.float64]
    time_dependent: NDArray[np.float64]
    landmark_score: NDArray[np.float64]
    time_dependent_score: NDArray[np.float64]
    time_dependent_penalised: NDArray[np.float64]
    log_rank: NDArray[np.float64]
    mantel_byar: NDArray[np.float64]


def simulated_studies() -> list[Study]:
    rng = np.random.default_rng(20210401)
    studies = []
    for _ in range(STUDIES):
        death = np.ceil(rng.exponential(DEATH, PERSONS))
        end = np.ceil(rng.uniform(*END, PERSONS))
        transplant = np.ceil(rng.exponential(TRANSPLANT, PERSONS))
        days = np.minimum(death, end)
        transplant = np.where(transplant <= days, transplant, np.nan)
        studies.append(Study(days, (death <= end).astype(np.int64), transplant))
    return studies


@pytest.fixture(scope="module")
def studies() -> list[Study]:
    return simulated_studies()


@pytest.fixture(scope="module")
def found(studies: list[Study]) -> Found:
    values: dict[str, list[float | None]] = {name: [] for name in Found.__annotations__}
    for study in studies:
        ever, rows = ~np.isnan(study.transplant), study.rows
        groups = group_at_landmark(study.days, study.transplant, LANDMARK)
        kept = groups.kept
        values["naive"].append(estimate_hazard_ratio(study.days, study.died, ever).coefficient)
        at_landmark = estimate_hazard_ratio(study.days[kept], study.died[kept], groups.exposed)
        values["landmark"].append(at_landmark.coefficient)
        past = sample(study.days[kept], study.died[kept])
        values["landmark_score"].append(likelihood(risk_table(past, groups.exposed), 0.0).score)
        by_time = estimate_hazard_ratio(rows.stop, rows.event, rows.exposed, start=rows.start)
        values["time_dependent"].append(by_time.coefficient)
        penalised = estimate_firth(rows.stop, rows.event, rows.exposed, start=rows.start)
        values["time_dependent_penalised"].append(penalised.coefficient)
        split = sample(rows.stop, rows.event, rows.start)
        values["time_dependent_score"].append(likelihood(risk_table(split, rows.exposed), 0.0).score)
        values["log_rank"].append(estimate_log_rank(study.days, study.died, ever).p)
        test = estimate_mantel_byar(rows.start, rows.stop, rows.event, rows.exposed)
        values["mantel_byar"].append(test.p)
    return Found(**{name: _numbers(found) for name, found in values.items()})


def _numbers(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([value for value in values if value is not None])


def monte_carlo_error(values: NDArray[np.float64]) -> float:
    """The standard error of the average of the simulated studies."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))


@pytest.mark.slow
def test_the_simulated_studies_are_as_large_as_the_reference_study(studies: list[Study]) -> None:
    deaths = np.mean([study.died.sum() for study in studies])
    transplants = np.mean([(~np.isnan(study.transplant)).sum() for study in studies])
    assert 22 < deaths < 26
    assert 14 < transplants < 18


@pytest.mark.slow
def test_the_naive_ratio_is_near_0_4_though_the_true_one_is_1(found: Found) -> None:
    average = float(found.naive.mean())
    assert 0.35 < np.exp(average) < 0.5
    # No chance of the simulation: 1 lies far outside.
    assert average < -20 * monte_carlo_error(found.naive)


@pytest.mark.slow
@pytest.mark.parametrize("analysis", ["landmark", "time_dependent"])
def test_the_landmark_and_the_time_dependent_ratio_are_1_but_for_the_simulations_error(
    found: Found, analysis: str
) -> None:
    # So few deaths of transplanted persons skew the plain ratio, so that its median is judged (whose error is
    # 1.2533 times the average's); it has no value where every death falls on one side.
    logs = getattr(found, analysis)
    assert abs(float(np.median(logs))) < 3 * 1.2533 * monte_carlo_error(logs)
    # Deaths of transplanted persons less those expected at a ratio of 1, which every study has, average 0.
    score = getattr(found, f"{analysis}_score")
    assert len(score) == STUDIES
    assert abs(float(score.mean())) < 3 * monte_carlo_error(score)


@pytest.mark.slow
def test_the_penalised_time_dependent_ratio_averages_1_and_every_study_has_one(found: Found) -> None:
    assert len(found.time_dependent_penalised) == STUDIES
    average = float(found.time_dependent_penalised.mean())
    assert abs(average) < 3 * monte_carlo_error(found.time_dependent_penalised)


@pytest.mark.slow
def test_mantel_byar_rejects_as_often_as_it_says_and_the_naive_log_rank_far_too_often(found: Found) -> None:
    error = np.sqrt(0.05 * 0.95 / STUDIES)
    assert abs(float((found.mantel_byar < 0.05).mean()) - 0.05) < 3 * error
    assert float((found.log_rank < 0.05).mean()) > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("exposed", [0, 1])
def test_simon_makuch_curves_lie_on_the_true_survival_at_half_a_year(
    studies: list[Study], exposed: int
) -> None:
    beside = []
    for study in studies:
        rows = study.rows
        chosen = rows.exposed == exposed
        curve = estimate_curve(rows.stop[chosen], rows.event[chosen], start=rows.start[chosen])
        survival = estimate_survival_at(curve, HALF_YEAR).survival
        # A curve that persons join tells of the time since the first of them joined.
        truth = np.exp(-(HALF_YEAR - rows.start[chosen].min()) / DEATH)
        beside.append((survival or 0.0) - truth)
    assert abs(float(np.mean(beside))) < 3 * monte_carlo_error(np.array(beside))
