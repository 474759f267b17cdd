"""Cox, Firth, log-rank and Mantel-Byar: by hand, in their edge cases, and against R's survival."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.statistics.cox import estimate_hazard_ratio, estimate_hazard_ratios
from reports.statistics.firth import estimate_firth
from reports.statistics.logrank import estimate_log_rank, estimate_mantel_byar
from reports.statistics.partial_likelihood import obstacle, risk_table
from reports.statistics.risk_sets import sample
from tests.statistics.agreement_with_r import DataSet, disagreements, needs_r, random_data_sets, run_r

# Freireich 1963, weeks in remission: 6-MP (exposed 0) and placebo (exposed 1).
REMISSION = [
    6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35,
    1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23,
]  # fmt: skip
RELAPSE = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0] + [1] * 21
PLACEBO = [0] * 21 + [1] * 21


def test_two_events_have_the_closed_form_hazard_ratio() -> None:
    # 1 of 2 exposed, then 1 of 2 unexposed of 3 (2 unexposed, 1 exposed) at risk: the score is a quadratic.
    # L = e/(2e + 2) * 1/(e + 2) with e the ratio; its maximum is e = sqrt(2).
    found = estimate_hazard_ratio([1, 2, 3, 4], [1, 1, 0, 0], [1, 0, 0, 1])
    assert found.hr == pytest.approx(math.sqrt(2), rel=1e-9)
    assert (found.n, found.events, found.method, found.warnings, found.reason) == (
        4, 2, "efron", ("few_events",), None
    )  # fmt: skip


def test_freireich_hazard_ratio_and_log_rank_are_the_published_ones() -> None:
    # Efron 1.57 (0.41): Venables & Ripley, MASS, section 13.3 (gehan); log-rank chi2 16.8: Kleinbaum & Klein.
    found = estimate_hazard_ratio(REMISSION, RELAPSE, PLACEBO)
    assert found.coefficient is not None and found.std_err is not None
    assert (round(found.coefficient, 2), round(found.std_err, 2)) == (1.57, 0.41)
    log_rank = estimate_log_rank(REMISSION, RELAPSE, PLACEBO)
    assert log_rank.chi2 is not None and round(log_rank.chi2, 1) == 16.8


@pytest.mark.parametrize(
    ("time", "event", "exposed", "reason"),
    [
        ([], [], [], "no_events"),
        ([4], [1], [1], "no_contrast"),
        ([1, 2, 3], [0, 0, 0], [0, 1, 0], "no_events"),
        ([1, 2, 3], [1, 1, 0], [1, 1, 1], "no_contrast"),
        ([1, 2, 3, 4], [1, 1, 0, 0], [1, 1, 0, 0], "separation"),
        ([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1], "separation"),
        ([1, 1, 3, 3], [1, 1, 1, 1], [1, 1, 0, 0], "separation"),
    ],
)
def test_hazard_ratio_that_has_no_finite_maximum_is_empty_and_says_why(
    time: list[int], event: list[int], exposed: list[int], reason: str
) -> None:
    found = estimate_hazard_ratio(time, event, exposed)
    assert (found.hr, found.ci_low, found.ci_high, found.p, found.reason) == (None, None, None, None, reason)
    assert found.n == len(time)


def test_firth_is_finite_where_every_event_is_of_the_exposed() -> None:
    found = estimate_firth([1, 2, 3, 4], [1, 1, 0, 0], [1, 1, 0, 0])
    assert found.hr is not None and found.ci_low is not None and found.ci_high is not None
    assert 1 < found.ci_high < math.inf and found.ci_low < found.hr < found.ci_high
    assert (found.method, found.reason) == ("firth", None)


def test_firth_of_one_event_has_its_closed_form() -> None:
    # One event, exposed, in a risk set of 1 and 1: log L + log I / 2 is log p + log(p(1-p)) / 2, so p = 3/4.
    found = estimate_firth([1, 2], [1, 0], [1, 0])
    assert found.hr == pytest.approx(3.0, rel=1e-10)


def test_firth_is_empty_only_where_there_is_nothing_to_compare() -> None:
    assert estimate_firth([1, 2], [0, 0], [1, 0]).reason == "no_events"
    assert estimate_firth([1, 2], [1, 1], [1, 1]).reason == "no_contrast"


def test_several_covariates_share_a_model_and_its_reason() -> None:
    rng = np.random.default_rng(5)
    time, event, age = rng.exponential(10, 40), np.ones(40), rng.normal(size=40)
    both = estimate_hazard_ratios(time, event, {"age": age, "sex": rng.integers(0, 2, 40)})
    assert set(both) == {"age", "sex"} and all(ratio.reason is None for ratio in both.values())
    assert {ratio.warnings for ratio in both.values()} == {()}
    flat = estimate_hazard_ratios(time, event, {"age": age, "constant": np.ones(40)})
    assert {ratio.reason for ratio in flat.values()} == {"no_contrast"}


def test_one_covariate_has_the_same_ratio_as_in_lifelines() -> None:
    # Our own likelihood serves one covariate, lifelines several; the two must be one model.
    from lifelines import CoxPHFitter

    rng = np.random.default_rng(8)
    for with_entries in (False, True):
        stop = np.ceil(rng.exponential(20, 60))
        start = np.floor(stop * 0.4) if with_entries else np.zeros(60)
        event, age = rng.integers(0, 2, 60), rng.integers(2, 26, 60)
        ours = estimate_hazard_ratio(stop, event, age, start=start)
        frame = pd.DataFrame({"start": start, "stop": stop, "event": event, "age": age})
        theirs = CoxPHFitter().fit(
            frame, "stop", "event", entry_col="start", fit_options={"precision": 1e-20, "r_precision": 0.0}
        )
        assert ours.coefficient == pytest.approx(theirs.params_["age"], rel=1e-8)
        assert ours.std_err == pytest.approx(theirs.standard_errors_["age"], rel=1e-8)


def test_collinear_covariates_do_not_converge() -> None:
    rng = np.random.default_rng(6)
    age = rng.normal(size=30)
    both = estimate_hazard_ratios(rng.exponential(10, 30), np.ones(30), {"age": age, "twice": 2 * age})
    assert {ratio.reason for ratio in both.values()} == {"no_convergence"}


def test_separation_by_two_covariates_together_is_no_hazard_ratio() -> None:
    # Neither alone separates, their sum does: every event has the highest sum in its risk set.
    first, second = [2, 0, 1, 1, 0, 0], [0, 2, 0, 0, 1, 0]
    both = estimate_hazard_ratios([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 0], {"a": first, "b": second})
    assert all(ratio.hr is None and ratio.reason is not None for ratio in both.values())


def test_log_rank_of_one_group_or_without_events_says_so() -> None:
    for test in (
        estimate_log_rank([1, 2], [1, 1], ["a", "a"]),
        estimate_log_rank([1, 2], [0, 0], ["a", "b"]),
        estimate_log_rank([], [], []),
        estimate_mantel_byar([0, 0], [1, 2], [0, 0], [0, 1]),
    ):
        assert (test.chi2, test.p, test.reason) == (None, None, "no_contrast")


@needs_r
@pytest.mark.slow
def test_cox_agrees_with_coxph_on_random_data_sets_with_ties_and_entries(tmp_path: Path) -> None:
    data_sets = list(random_data_sets(300, seed=23))
    ours: dict[str, list[float | None]] = {}
    for data in data_sets:
        exposed = data.group > 0
        for key, start in (("fixed", None), ("rows", data.start)):
            found = estimate_hazard_ratio(
                data.time if start is None else data.stop, data.event, exposed, start=start
            )
            if found.reason is None:
                ours[f"{data.name} {key}"] = [found.hr, found.ci_low, found.ci_high, found.p, found.std_err]
            else:
                assert found.reason != "no_convergence"
    assert len(ours) > 300
    assert disagreements(ours, _of_finite(run_r(_R_COX, data_sets, tmp_path), ours)) == []


def _of_finite(
    theirs: dict[str, list[float | None]], ours: dict[str, list[float | None]]
) -> dict[str, list[float | None]]:
    # Where there is no maximum coxph stops anywhere; that there is none is tested on its own.
    return {key: numbers for key, numbers in theirs.items() if key in ours}


_R_COX = """
numbers <- function(formula, d) {
    fit <- suppressWarnings(coxph(formula, d, control = coxph.control(eps = 1e-12, iter.max = 100)))
    s <- summary(fit)$coefficients
    half <- qnorm(0.975) * s[1, "se(coef)"]
    c(s[1, "exp(coef)"], exp(s[1, "coef"] + c(-half, half)), s[1, "Pr(>|z|)"], s[1, "se(coef)"])
}
f <- function(d) {
    d$x <- as.numeric(d$group > 0)
    if (sum(d$event) == 0 || length(unique(d$x)) < 2) return(list())
    list(fixed = numbers(Surv(time, event) ~ x, d), rows = numbers(Surv(start, stop, event) ~ x, d))
}
"""


@needs_r
@pytest.mark.slow
def test_an_obstacle_is_found_exactly_where_the_likelihood_of_r_has_no_maximum(tmp_path: Path) -> None:
    data_sets = list(random_data_sets(300, seed=24))
    theirs = run_r(_R_ENDS, data_sets, tmp_path)
    for data in data_sets:
        found = obstacle(risk_table(sample(data.time, data.event), data.group > 0))
        if f"{data.name} ends" not in theirs:
            assert found in ("no_events", "no_contrast")
            continue
        far_left, left, right, far_right = (float(value or 0) for value in theirs[f"{data.name} ends"])
        falls_on_both_sides = far_left < left - 1 and far_right < right - 1
        assert (found is None) == falls_on_both_sides, data.name


_R_ENDS = """
none <- coxph.control(iter.max = 0)
at <- function(d, b) coxph(Surv(time, event) ~ x, d, init = b, control = none)$loglik[2]
f <- function(d) {
    d$x <- as.numeric(d$group > 0)
    if (sum(d$event) == 0 || length(unique(d$x)) < 2) return(list())
    list(ends = sapply(c(-20, -15, 15, 20), function(b) at(d, b)))
}
"""


@needs_r
@pytest.mark.slow
def test_firth_agrees_with_the_penalised_likelihood_made_of_coxph(tmp_path: Path) -> None:
    # R's likelihood and information at given coefficients, penalised and solved in R by bisection.
    data_sets = list(random_data_sets(120, seed=25))
    ours: dict[str, list[float | None]] = {}
    for data in data_sets:
        found = estimate_firth(data.time, data.event, data.group > 0)
        if found.coefficient is not None and found.ci_low and found.ci_high:
            ours[f"{data.name} limits"] = [math.log(found.ci_low), math.log(found.ci_high), found.p]
            ours[f"{data.name} se"] = [found.std_err]
    theirs = run_r(_R_FIRTH, data_sets, tmp_path)
    assert len(ours) > 150
    assert disagreements(ours, {key: theirs[key] for key in ours}) == []


_R_FIRTH = """
f <- function(d) {
    d$x <- as.numeric(d$group > 0)
    if (sum(d$event) == 0 || length(unique(d$x)) < 2) return(list())
    fit <- function(b) coxph(Surv(time, event) ~ x, d, init = b, control = coxph.control(iter.max = 0))
    value <- function(b) { a <- fit(b); if (a$var[1] == 0) NA else a$loglik[2] - log(a$var[1]) / 2 }
    if (is.na(value(0))) return(list())
    # The maximum, by parabolas through three points of the smooth curve.
    best <- optimize(value, c(-12, 12), maximum = TRUE, tol = 1e-9)$maximum
    for (i in 1:4) {
        h <- 1e-3; v <- sapply(best + h * (-2:2), value)
        best <- best - ((v[1] - 8 * v[2] + 8 * v[4] - v[5]) / (12 * h)) /
            ((-v[1] + 16 * v[2] - 30 * v[3] + 16 * v[4] - v[5]) / (12 * h^2))
    }
    top <- value(best)
    drop <- function(b) 2 * (top - value(b)) - qchisq(0.95, 1)
    low <- uniroot(drop, c(best - 30, best), tol = 1e-13)$root
    high <- uniroot(drop, c(best, best + 30), tol = 1e-13)$root
    p <- pchisq(2 * (top - value(0)), 1, lower.tail = FALSE)
    list(limits = c(low, high, p), se = sqrt(fit(best)$var[1]))
}
"""


@needs_r
@pytest.mark.slow
def test_log_rank_and_mantel_byar_agree_with_r_on_random_data_sets(tmp_path: Path) -> None:
    data_sets = list(random_data_sets(300, seed=26))
    ours: dict[str, list[float | None]] = {}
    for data in data_sets:
        test = estimate_log_rank(data.time, data.event, data.group)
        by_rows = estimate_mantel_byar(data.start, data.stop, data.event, data.group > 0)
        ours[f"{data.name} log_rank"] = [test.chi2, test.p]
        ours[f"{data.name} mantel_byar"] = [by_rows.chi2, by_rows.p]
    assert sum(numbers[1] is not None for numbers in ours.values()) > 400
    assert disagreements(ours, run_r(_R_TESTS, data_sets, tmp_path)) == []


_R_TESTS = """
none <- c(NA, NA)
f <- function(d) {
    d$x <- as.numeric(d$group > 0)
    log_rank <- mantel_byar <- none
    if (sum(d$event) > 0 && length(unique(d$group)) > 1) {
        # R refuses a singular variance, and gives 0 where one group alone is ever at risk at an event.
        test <- tryCatch(survdiff(Surv(time, event) ~ group, d), error = function(e) NULL)
        if (!is.null(test) && sum(test$exp > 0) > 1) log_rank <- c(test$chisq, test$pvalue)
    }
    if (sum(d$event) > 0 && length(unique(d$x)) > 1) {
        # The Mantel-Haenszel test of the tables at each event is the log-rank test of the rows.
        tables <- sapply(unique(d$stop[d$event == 1]), function(t) {
            r <- d[d$start < t & d$stop >= t, ]
            table(factor(r$x, 0:1), factor(r$stop == t & r$event == 1, c(FALSE, TRUE)))
        }, simplify = "array")
        # A table of one person tells nothing, and R refuses it.
        tables <- tables[, , apply(tables, 3, sum) > 1, drop = FALSE]
        # Nor does a table without an event; but R wants two tables.
        tables <- array(c(tables, rep(c(2, 2, 0, 0), 2)), c(2, 2, dim(tables)[3] + 2))
        test <- mantelhaen.test(tables, correct = FALSE)
        if (is.finite(test$statistic)) mantel_byar <- c(test$statistic, test$p.value)
    }
    list(log_rank = log_rank, mantel_byar = mantel_byar)
}
"""


@needs_r
def test_lung_hazard_ratio_agrees_with_r(tmp_path: Path) -> None:
    one = [DataSet("lung", np.array([1.0]), np.array([1]), np.array([0]), np.array([0.0]))]
    lung = run_r(_R_LUNG, one, tmp_path)
    event = [status == 2 for status in lung["lung status"]]
    both = estimate_hazard_ratios(
        lung["lung time"], event, {"sex": lung["lung sex"], "age": lung["lung age"]}
    )
    ours = {"lung ratios": [both["sex"].hr, both["age"].hr], "lung p": [both["sex"].p, both["age"].p]}
    assert disagreements(ours, {key: lung[key] for key in ours}) == []


_R_LUNG = """
f <- function(d) {
    fit <- summary(coxph(Surv(time, status) ~ sex + age, lung, control = coxph.control(eps = 1e-12)))
    c(as.list(lung[c("time", "status", "sex", "age")]),
        list(ratios = fit$coefficients[, "exp(coef)"], p = fit$coefficients[, "Pr(>|z|)"]))
}
"""
