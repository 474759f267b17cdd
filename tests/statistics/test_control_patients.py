"""Propensity, weights, balance and weighted hazard ratios: R, formulas by hand, and what can't be fitted."""

from __future__ import annotations

import csv
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from reports.statistics.control_estimates import bootstrap, weighted_persons
from reports.statistics.control_persons import Column, Outcome, Persons
from reports.statistics.propensity import estimate_propensity
from reports.statistics.weighted_cox import estimate_weighted_hazard_ratio
from reports.statistics.weighting import (
    WEIGHTINGS,
    effective_size,
    propensity_weights,
    standardised_difference,
)
from tests.statistics.agreement_with_r import agree, needs_r

SCRIPT = """
suppressMessages(library(survival))
d <- read.csv(commandArgs(TRUE)[1])
g <- glm(t ~ x1 + x2 + b, binomial, d, control = glm.control(epsilon = 1e-15, maxit = 100))
e <- fitted(g); s <- d$t == 1
out <- coef(g)
for (w in list(ifelse(s, 1 / e, 1 / (1 - e)), ifelse(s, 1, e / (1 - e)), ifelse(s, 1 - e, e))) {
    f <- coxph(Surv(time, event) ~ t, d, weights = w, robust = TRUE,
               control = coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 50))
    smd <- (weighted.mean(d$x1[s], w[s]) - weighted.mean(d$x1[!s], w[!s])) / sqrt((var(d$x1[s]) + var(d$x1[!s])) / 2)
    p <- mean(d$b[s]); q <- mean(d$b[!s])
    binary <- (weighted.mean(d$b[s], w[s]) - weighted.mean(d$b[!s], w[!s])) / sqrt((p * (1 - p) + q * (1 - q)) / 2)
    out <- c(out, coef(f), sqrt(f$var), smd, binary, sum(w[s])^2 / sum(w[s]^2), sum(w[!s])^2 / sum(w[!s]^2))
}
cat(sprintf("%.17g\\n", out), sep = "")
"""


def drawn(seed: int, n: int) -> dict[str, np.ndarray]:
    """Two groups that differ in three covariates, with tied times."""
    rng = np.random.default_rng(seed)
    x1, x2 = rng.normal(10, 3, n).round(3), rng.normal(size=n).round(3)
    b = (rng.random(n) < 0.4).astype(float)
    t = (rng.random(n) < expit(-1.5 + 0.2 * x1 - 0.5 * b)).astype(float)
    time, event = np.ceil(rng.exponential(9, n)), (rng.random(n) < 0.7).astype(float)
    return {"t": t, "x1": x1, "x2": x2, "b": b, "time": time, "event": event}


@needs_r
@pytest.mark.parametrize(("seed", "n"), [(seed, n) for n in (40, 150, 800) for seed in range(5)])
def test_everything_agrees_with_r(tmp_path: Path, seed: int, n: int) -> None:
    data = drawn(seed, n)
    rows, script = tmp_path / "rows.csv", tmp_path / "script.R"
    with rows.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(data)
        writer.writerows(zip(*(map(repr, map(float, column)) for column in data.values()), strict=True))
    script.write_text(SCRIPT)
    done = subprocess.run(["Rscript", "--vanilla", script, rows], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    theirs = [float(line) for line in done.stdout.split()]
    ours = _ours(data)
    assert len(ours) == len(theirs)
    assert [pair for pair in zip(ours, theirs, strict=True) if not agree(*pair)] == []


def _ours(data: dict[str, np.ndarray]) -> list[float | None]:
    t = data["t"]
    fit = estimate_propensity(t, np.column_stack([data["x1"], data["x2"], data["b"]]))
    assert fit.values is not None and fit.coefficients is not None
    found: list[float | None] = list(map(float, fit.coefficients))
    for weighting in WEIGHTINGS:
        weights = propensity_weights(t, fit.values, weighting)
        ratio = estimate_weighted_hazard_ratio(data["time"], data["event"], t, weights)
        found += [ratio.coefficient, ratio.std_err]
        found += [standardised_difference(t, data[name], weights) for name in ("x1", "b")]
        found += [effective_size(weights[t == group]) for group in (1, 0)]
    return found


def test_weights_by_hand() -> None:
    study, propensity = np.array([1.0, 0.0]), np.array([0.8, 0.2])
    assert propensity_weights(study, propensity, "ate").tolist() == pytest.approx([1.25, 1.25])
    assert propensity_weights(study, propensity, "att").tolist() == pytest.approx([1, 0.25])
    assert propensity_weights(study, propensity, "overlap").tolist() == pytest.approx([0.2, 0.2])


def test_overlap_weights_balance_the_means_of_the_model_exactly() -> None:
    """Theorem 3 of Li, Morgan & Zaslavsky 2018."""
    data = drawn(7, 200)
    fit = estimate_propensity(data["t"], np.column_stack([data["x1"], data["b"]]))
    assert fit.values is not None
    weights = propensity_weights(data["t"], fit.values, "overlap")
    for name in ("x1", "b"):
        assert standardised_difference(data["t"], data[name], weights) == pytest.approx(0, abs=1e-9)


def test_groups_that_a_covariate_tells_apart_have_no_model() -> None:
    study = np.array([0.0, 0, 0, 1, 1, 1])
    assert estimate_propensity(study, np.array([[1.0], [2], [3], [4], [5], [6]])).reason == "separation"
    assert estimate_propensity(
        study, np.array([[1.0, 2], [2, 4], [4, 8], [3, 6], [1, 2], [2, 4]])
    ).reason == ("collinear")
    assert estimate_propensity(np.ones(3), np.zeros((3, 1))).reason == "nobody"


def test_a_covariate_without_variation_gets_no_coefficient() -> None:
    study = np.array([1.0, 0, 1, 0])
    fit = estimate_propensity(study, np.array([[5.0], [5], [5], [5]]))
    assert fit.coefficients is not None and fit.coefficients.tolist() == pytest.approx([0, 0])


def test_hazard_ratios_that_have_no_maximum_say_why() -> None:
    time, study, weights = np.array([1.0, 2, 3, 4]), np.array([1.0, 1, 0, 0]), np.ones(4)
    assert estimate_weighted_hazard_ratio(time, np.zeros(4), study, weights).reason == "no_events"
    one_sided = np.array([1.0, 1, 0, 0])
    assert estimate_weighted_hazard_ratio(time, one_sided, study, weights).reason == "separation"
    assert estimate_weighted_hazard_ratio(time, np.ones(4), np.ones(4), weights).reason == "no_contrast"


def persons_of(data: dict[str, np.ndarray]) -> Persons:
    columns = tuple(Column(name, name, data[name], True) for name in ("x1", "x2", "b"))
    outcomes = (
        Outcome("response.remission", data["event"]),
        Outcome("overall_survival", data["event"], data["time"]),
    )
    return Persons(data["t"], columns, outcomes, {})


def test_a_bootstrap_is_the_same_in_one_process_and_in_several() -> None:
    persons = persons_of(drawn(3, 80))
    alone = bootstrap(persons, 0.05, 120, 11, map)
    with ThreadPoolExecutor(3) as pool:
        assert bootstrap(persons, 0.05, 120, 11, pool.map) == alone
    assert bootstrap(persons, 0.05, 120, 12, map) != alone


def test_an_unweighted_bootstrap_is_as_wide_as_the_formula_says() -> None:
    """The interval of a difference of proportions, from 4,000 replicates, against the normal one: within 4%."""
    data = drawn(5, 400)
    persons = Persons(data["t"], (), (Outcome("response.remission", data["event"]),), {})
    interval = bootstrap(persons, 0.0, 4000, 1, map)["response.remission", "unweighted"]
    shares = [(data["event"][data["t"] == g].mean(), (data["t"] == g).sum()) for g in (1, 0)]
    width = 2 * 1.959964 * np.sqrt(sum(p * (1 - p) / n for p, n in shares))
    assert interval.low is not None and interval.high is not None
    assert interval.high - interval.low == pytest.approx(width, rel=0.04)


def test_a_single_control_gives_reasons_and_no_numbers_that_are_not_finite() -> None:
    data = {name: values[:12] for name, values in drawn(2, 60).items()}
    data["t"] = np.array([1.0] * 11 + [0.0])
    made = weighted_persons(persons_of(data), 0.05)
    for weighted in made.values():
        assert weighted.weights is not None or weighted.reason in ("separation", "nobody", "collinear")
        if weighted.weights is not None:
            assert np.isfinite(weighted.weights).all()
