"""Cox and Firth with several covariates: monotone likelihoods by hand, and everything else against R."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reports.statistics.cox import HazardRatio, estimate_hazard_ratio, estimate_hazard_ratios
from reports.statistics.firth import estimate_firth
from reports.statistics.hazard_rows import estimate_guarded
from reports.statistics.joint_firth import estimate_joint_firth
from tests.statistics.agreement_with_r import DataSet, agree, disagreements, needs_r, random_data_sets, run_r


def covariates(data: DataSet) -> dict[str, np.ndarray]:
    """Two covariates of a random data set; the R scripts make the same."""
    return {
        "x": (data.group > 0).astype(float),
        "z": (np.arange(1, len(data.time) + 1) * 7 % 11).astype(float),
    }


def test_covariates_that_separate_only_together_have_no_ratio_and_a_penalised_one() -> None:
    # Every event has the highest sum in its risk set, and neither covariate alone is always highest or lowest.
    both = {"a": [2, 0, 1, 1, 0, 0], "b": [0, 2, 0, 0, 1, 0]}
    time, event = [1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 0]
    assert {fit.reason for fit in estimate_hazard_ratios(time, event, both).values()} == {"separation"}
    for plain, penalised in estimate_guarded(time, event, both).values():
        assert plain.hr is None
        assert penalised.method == "firth" and penalised.warnings == ("few_events",)
        assert penalised.hr is not None and penalised.ci_low is not None and penalised.ci_high is not None
        assert penalised.ci_low < penalised.hr < penalised.ci_high < math.inf


def test_one_covariate_has_the_same_penalised_ratio_by_either_likelihood() -> None:
    for data in random_data_sets(40, seed=30):
        exposed = data.group > 0
        one = estimate_firth(data.stop, data.event, exposed, start=data.start)
        joint = estimate_joint_firth(data.stop, data.event, {"x": exposed}, start=data.start)["x"]
        if one.hr is None:
            assert joint.hr is None
            continue
        for ours, theirs in zip(_numbers(one), _numbers(joint), strict=True):
            assert agree(ours, theirs), data.name


def test_a_penalised_model_of_nothing_says_why_it_is_empty() -> None:
    same = {"a": [1, 1, 0, 0], "b": [2, 2, 0, 0]}
    assert {f.reason for f in estimate_joint_firth([1, 2, 3, 4], [0] * 4, same).values()} == {"no_events"}
    assert {f.reason for f in estimate_joint_firth([1, 2, 3, 4], [1] * 4, same).values()} == {
        "no_convergence"
    }
    constant = {"a": [1, 1, 1, 1], "b": [1, 0, 1, 0]}
    assert estimate_joint_firth([1, 2, 3, 4], [1] * 4, constant)["b"].reason == "no_convergence"


def test_a_person_against_another_has_the_published_ratio() -> None:
    # Heinze & Schemper 2001, section 2: the exposed one of two has the event; the penalised ratio is exp(b) = 3.
    assert estimate_joint_firth([1, 2], [1, 0], {"x": [1, 0]})["x"].hr == pytest.approx(3, rel=1e-9)


def test_four_covariates_of_which_one_separates_are_empty_and_too_few_events_are_told() -> None:
    time, event, columns = _graded()
    plain = estimate_hazard_ratios(time, event, columns)
    assert {(fit.reason, fit.warnings) for fit in plain.values()} == {("separation", ("few_events",))}
    assert estimate_hazard_ratio(time, event, columns["grade"]).reason == "separation"
    assert all(fit.hr is not None for fit in estimate_joint_firth(time, event, columns).values())


@needs_r
@pytest.mark.slow
def test_two_covariates_agree_with_coxph_and_are_empty_exactly_where_its_likelihood_has_no_maximum(
    tmp_path: Path,
) -> None:
    data_sets = list(random_data_sets(300, seed=31))
    theirs = run_r(_R_COX, data_sets, tmp_path)
    ours: dict[str, list[float | None]] = {}
    for data in data_sets:
        for key, start in (("fixed", None), ("rows", data.start)):
            name, time = f"{data.name} {key}", data.time if start is None else data.stop
            fits = estimate_hazard_ratios(time, data.event, covariates(data), start=start)
            if fits["x"].reason is None:
                ours[name] = [n for fit in fits.values() for n in _numbers(fit)]
            elif name in theirs:
                # Where there is no maximum coxph goes on until a standard error says nothing any more.
                errors = [theirs[name][4] or math.inf, theirs[name][9] or math.inf]
                assert max(errors) > 50, (name, fits["x"].reason)
    assert len(ours) > 300
    assert disagreements(ours, {key: theirs[key] for key in ours}) == []


_R_COX = """
numbers <- function(formula, d) {
    fit <- suppressWarnings(coxph(formula, d, control = coxph.control(eps = 1e-12, iter.max = 100)))
    s <- summary(fit)$coefficients
    as.vector(sapply(1:2, function(i) {
        half <- qnorm(0.975) * s[i, "se(coef)"]
        c(s[i, "exp(coef)"], exp(s[i, "coef"] + c(-half, half)), s[i, "Pr(>|z|)"], s[i, "se(coef)"])
    }))
}
f <- function(d) {
    d$x <- as.numeric(d$group > 0); d$z <- (seq_len(nrow(d)) * 7) %% 11
    if (sum(d$event) == 0 || length(unique(d$x)) < 2) return(list())
    list(fixed = numbers(Surv(time, event) ~ x + z, d), rows = numbers(Surv(start, stop, event) ~ x + z, d))
}
"""


@needs_r
@pytest.mark.slow
def test_the_penalised_ratios_of_four_covariates_are_the_maximum_of_r_s_penalised_likelihood(
    tmp_path: Path,
) -> None:
    # coxphf isn't in Debian: its criterion is made of coxph's likelihood and information, and maximised in R. No
    # two events are tied, so that Efron's ties are Breslow's, which coxphf has.
    time, event, columns = _graded()
    fits = estimate_joint_firth(time, event, columns)
    table = "\n".join(
        " ".join(repr(cell) for cell in row) for row in zip(time, event, *columns.values(), strict=True)
    )
    names = ", ".join(f'"{name}"' for name in columns)
    script = f"""
    d1 <- read.table(text = "{table}", col.names = c("stop", "event", {names}))
    d1$start <- -1
    {_R_PENALISED}
    f <- function(d) penalised_numbers(d1, c({names}), {_literal(fits)})
    """
    one = [DataSet("graded", np.array([1.0]), np.array([1]), np.array([0]), np.array([0.0]))]
    assert disagreements(_ours("graded", fits), run_r(script, one, tmp_path)) == []


@needs_r
@pytest.mark.slow
def test_penalised_ratios_of_two_covariates_are_the_maxima_of_r_s_penalised_likelihood(
    tmp_path: Path,
) -> None:
    data_sets = list(_penalisable(12, seed=32))
    fits = {
        data.name: estimate_joint_firth(data.stop, data.event, covariates(data), start=data.start)
        for data in data_sets
    }
    assert any(
        estimate_hazard_ratios(d.stop, d.event, covariates(d), start=d.start)["x"].reason == "separation"
        for d in data_sets
    )
    ours: dict[str, list[float | None]] = {}
    for name, found in fits.items():
        ours |= _ours(name, found)
    given = ", ".join(f"{name} = {_literal(found)}" for name, found in fits.items())
    script = f"""
    given <- list({given})
    {_R_PENALISED}
    f <- function(d) {{
        d$x <- as.numeric(d$group > 0); d$z <- (seq_len(nrow(d)) * 7) %% 11
        penalised_numbers(d, c("x", "z"), given[[d$set[1]]])
    }}
    """
    assert disagreements(ours, run_r(script, data_sets, tmp_path)) == []


# R finds coefficients, errors and p by itself; of each limit that is given it says how far the profile has fallen.
_R_PENALISED = """
penalised_numbers <- function(d, names, limits) {
    design <- as.matrix(d[names]); k <- length(names)
    fit <- function(b) coxph(Surv(start, stop, event) ~ design, d, init = b, control = coxph.control(iter.max = 0))
    value <- function(b) { a <- fit(b); a$loglik[2] - as.numeric(determinant(a$var)$modulus) / 2 }
    # Newton's steps with differences of the fourth order, over the free coefficients.
    climb <- function(b, free) {
        h <- 1e-3
        at <- function(step) { y <- b; y[free] <- y[free] + step; value(y) }
        for (i in 1:5) {
            n <- length(free); e <- diag(n) * h
            g <- sapply(1:n, function(j)
                (at(-2 * e[, j]) - 8 * at(-e[, j]) + 8 * at(e[, j]) - at(2 * e[, j])) / (12 * h))
            H <- outer(1:n, 1:n, Vectorize(function(j, l) (at(e[, j] + e[, l]) - at(e[, j] - e[, l]) -
                at(e[, l] - e[, j]) + at(-e[, j] - e[, l])) / (4 * h^2)))
            b[free] <- b[free] - solve(H, g)
        }
        b
    }
    maximum <- function(begin, free) {
        start <- optim(begin[free], function(v) { y <- begin; y[free] <- v; -value(y) }, method = "BFGS",
            control = list(reltol = 1e-7, maxit = 100))$par
        begin[free] <- start
        climb(begin, free)
    }
    best <- maximum(rep(0, k), 1:k)
    top <- value(best)
    fallen <- function(i, v) {
        begin <- best; begin[i] <- v
        2 * (top - value(maximum(begin, setdiff(1:k, i))))
    }
    list(coefficients = best, errors = sqrt(diag(fit(best)$var)),
        p = sapply(1:k, function(i) pchisq(fallen(i, 0), 1, lower.tail = FALSE)),
        fallen = sapply(1:k, function(i) sapply(limits[[i]], function(v) fallen(i, v))))
}
"""
THRESHOLD = 3.841458820694124  # qchisq(0.95, 1)


def _ours(name: str, fits: dict[str, HazardRatio]) -> dict[str, list[float | None]]:
    found = list(fits.values())
    return {
        f"{name} coefficients": [fit.coefficient for fit in found],
        f"{name} errors": [fit.std_err for fit in found],
        f"{name} p": [fit.p for fit in found],
        f"{name} fallen": [THRESHOLD] * 2 * len(found),
    }


def _literal(fits: dict[str, HazardRatio]) -> str:
    """The limits of each coefficient as an R list."""
    limits = [f"c({math.log(fit.ci_low or 0)!r}, {math.log(fit.ci_high or 0)!r})" for fit in fits.values()]
    return f"list({', '.join(limits)})"


def _penalisable(count: int, seed: int) -> Iterator[DataSet]:
    """Random data sets of which the penalised model has an answer."""
    found = 0
    for data in random_data_sets(10 * count, seed):
        fits = estimate_joint_firth(data.stop, data.event, covariates(data), start=data.start)
        if found < count and all(fit.hr is not None for fit in fits.values()):
            found += 1
            yield data


def _numbers(fit: HazardRatio) -> list[float | None]:
    return [fit.hr, fit.ci_low, fit.ci_high, fit.p, fit.std_err]


def _graded() -> tuple[list[float], list[int], dict[str, list[float]]]:
    """A hundred persons, a quarter with the event, none of them of the lower grade."""
    rng = np.random.default_rng(33)
    grade = (rng.random(100) < 0.7).astype(float)
    stage, nodes = (rng.random(100) < 0.5).astype(float), (rng.random(100) < 0.4).astype(float)
    age = np.round(rng.normal(0, 1, 100), 3)
    time = np.round(rng.exponential(60 * np.exp(-0.8 * stage - 0.3 * age)), 4)
    event = (time < 40) & (grade == 1) & (rng.random(100) < 0.75)
    columns = {"stage": stage, "nodes": nodes, "grade": grade, "age": age}
    return (
        time.tolist(),
        event.astype(int).tolist(),
        {name: list(map(float, c)) for name, c in columns.items()},
    )
