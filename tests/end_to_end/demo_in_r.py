"""The statistics of the demo's cohort as R gives them, from the study's own tables."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import duckdb

Key = tuple[str, str, str, str, str]  # analysis, group, level, statistic, method

TABLES = {
    "times": "select endpoint, person_id, start_on, days, status from clofarabine.endpoint order by all",
    "groups": "select person_id, variable || '=' || level as name from clofarabine.subgroup order by all",
    "by_event": """
        select person_id, days, status, comparing_event_day as event_day
        from clofarabine.time_dependent order by all
    """,
    "cohort": """
        select person_id, comparing_event_on, age, age_at_diagnosis, prior_regimens
        from clofarabine.cohort order by all
    """,
    "response": """
        select person_id, best_response, investigator_response,
            list_contains(outcomes, 'remission') as is_remission, list_contains(outcomes, 'overall') as is_overall
        from clofarabine.response order by all
    """,
    "events": """
        select person_id, resource_key, onset_on, grade, is_serious, is_related, is_fatal
        from clofarabine.teae order by all
    """,
    "at_risk": "select person_id, starts_on, days from clofarabine.time_at_risk order by all",
}

SCRIPT = r"""
suppressMessages({library(survival); library(cmprsk)})
arguments <- commandArgs(TRUE)
table_of <- function(name) read.csv(file.path(arguments[1], paste0(name, ".csv")), stringsAsFactors = FALSE)
times <- table_of("times"); groups <- table_of("groups"); cohort <- table_of("cohort")
weeks <- c(4, 8, 12, 26, 52, 104)
out <- list()
add <- function(analysis, group, level, statistic, method, value) out[[length(out) + 1]] <<- data.frame(
    analysis, group, level, statistic, method, value = sprintf("%.17g", as.numeric(value)))
of_group <- function(d, group) if (group == "all") d else
    d[d$person_id %in% groups$person_id[groups$name == group], ]
every_group <- c("all", sort(unique(groups$name)))
km <- "km log-log"

median_of <- function(analysis, group, s) add(analysis, group, "", c("median", "ci_low", "ci_high"), km,
    summary(s)$table[c("median", "0.95LCL", "0.95UCL")] / 7)
# Before its first time R prints limits of 1 for each kind of interval; here they are those of the kind: none at 1.
at_weeks <- function(analysis, group, s, prefix = "", begins = -Inf) for (week in weeks) {
    level <- paste0(prefix, "week_", week)
    here <- summary(s, times = 7 * week, extend = TRUE)
    inside <- 7 * week <= max(s$time) && begins < 7 * week
    numbers <- if (inside) c(here$surv, if (here$surv %in% 0:1) c(NA, NA) else c(here$lower, here$upper)) else
        c(NA, NA, NA)
    add(analysis, group, level, c("survival", "ci_low", "ci_high"), km, numbers)
}
km_rows <- function(analysis, group, d, with_weeks) {
    s <- survfit(Surv(days, status == 1) ~ 1, d, conf.type = "log-log")
    median_of(analysis, group, s)
    if (with_weeks) {
        at_weeks(analysis, group, s)
        for (week in weeks) add(analysis, group, paste0("week_", week), "at_risk", "", sum(d$days >= 7 * week))
    }
}
for (group in every_group) km_rows("overall_survival", group,
    of_group(times[times$endpoint == "overall_survival", ], group), TRUE)
km_rows("event_free_survival", "all", times[times$endpoint == "event_free_survival", ], TRUE)
for (name in c("time_to_remission", "duration_of_remission", "duration_of_remission.at_hsct",
        "duration_of_remission.at_new_therapy")) km_rows(name, "all", times[times$endpoint == name, ], FALSE)
os <- times[times$endpoint == "overall_survival", ]
median_of("follow_up", "all", survfit(Surv(days, status != 1) ~ 1, os, conf.type = "log-log"))

# Where nobody has the event cuminc has no curve: 0 to the longest time. Limits of 0 and 1 are none.
incidence_rows <- function(analysis, d, prefix) {
    p <- v <- ifelse(7 * weeks <= max(d$days), 0, NA)
    if (any(d$status == 1)) {
        at <- timepoints(cuminc(d$days, d$status), 7 * weeks)
        p <- at$est["1 1", ]; v <- at$var["1 1", ]
    }
    half <- qnorm(0.975) * sqrt(v) / (p * log(p))
    half[p %in% 0:1] <- NA
    level <- paste0(prefix, "week_", weeks)
    add(analysis, "all", level, "incidence", "aalen-johansen", p)
    add(analysis, "all", level, "ci_low", "aalen-johansen", p ^ exp(-half))
    add(analysis, "all", level, "ci_high", "aalen-johansen", p ^ exp(half))
}
for (name in c("remission", "hsct", "relapse", "death_without_relapse")) {
    analysis <- paste0(name, "_incidence")
    incidence_rows(analysis, times[times$endpoint == analysis, ], "")
}

exact <- coxph.control(eps = 1e-11, iter.max = 100)
hazard <- function(analysis, level, formula, d, x) {
    numbers <- rep(NA, 4)
    if (length(unique(x)) > 1) {
        s <- summary(coxph(formula, d, control = exact))$coefficients
        half <- qnorm(0.975) * s[1, "se(coef)"]
        numbers <- c(s[1, "exp(coef)"], exp(s[1, "coef"] + c(-half, half)), s[1, "Pr(>|z|)"])
    }
    add(analysis, "all", level, c("hr", "ci_low", "ci_high", "p"), "efron", numbers)
}
# Rows at risk on (start, stop], by hand: the event at day - 0.5, at least 0, and an end at 0 at 0.25.
split_rows <- function(days, status, event_day) {
    stop <- ifelse(days == 0, 0.25, days)
    comes <- !is.na(event_day) & event_day <= days
    at <- pmax(event_day - 0.5, 0)
    before <- !comes | at > 0
    rbind(
        data.frame(start = 0, stop = ifelse(comes, at, stop), event = ifelse(comes, 0, status), x = 0)[before, ],
        data.frame(start = at, stop = stop, event = status, x = 1)[comes, ])
}
d <- table_of("by_event")
by <- "survival_by_hsct"
d$ever <- as.numeric(!is.na(d$event_day))
hazard(by, "naive", Surv(days, status) ~ ever, d, d$ever)
test <- survdiff(Surv(days, status) ~ ever, d)
add(by, "all", "logrank_naive", c("chi2", "p"), "", c(test$chisq, test$pvalue))
for (day in c(30, 60, 90)) {
    kept <- d[d$days > day, ]
    kept$x <- as.numeric(!is.na(kept$event_day) & kept$event_day <= day)
    hazard(by, paste0("landmark_", day), Surv(days, status) ~ x, kept, kept$x)
}
rows <- split_rows(d$days, d$status, d$event_day)
hazard(by, "time_dependent", Surv(start, stop, event) ~ x, rows, rows$x)
tables <- sapply(unique(rows$stop[rows$event == 1]), function(t) {
    r <- rows[rows$start < t & rows$stop >= t, ]
    table(factor(r$x, 0:1), factor(r$stop == t & r$event == 1, c(FALSE, TRUE)))
}, simplify = "array")
test <- mantelhaen.test(tables[, , apply(tables, 3, sum) > 1], correct = FALSE)
add(by, "all", "mantel_byar", c("chi2", "p"), "", c(test$statistic, test$p.value))
for (level in c("yes", "no")) {
    chosen <- rows[rows$x == (level == "yes"), ]
    s <- survfit(Surv(start, stop, event) ~ 1, chosen, conf.type = "log-log")
    at_weeks("survival_by_hsct.simon_makuch", "all", s, paste0(level, " "), min(chosen$start))
}

site <- function(person_id) {
    named <- groups[startsWith(groups$name, "site="), ]
    named$name[match(person_id, named$person_id)]
}
gray <- function(name, d, group) {
    test <- cuminc(d$days, d$status, group)$Tests["1", ]
    add(paste0("gray.", name), "all", "", c("chi2", "p"), "",
        c(test["stat"], pchisq(test["stat"], test["df"], lower.tail = FALSE)))
    for (level in unique(group)) incidence_rows(paste0("gray.", name), d[group == level, ], paste0(level, " "))
}
d <- times[times$endpoint == "remission_incidence", ]
gray("remission_by_site", d, sub("^site=", "", site(d$person_id)))
d <- times[times$endpoint == "relapse_incidence", ]
d$on <- as.Date(cohort$comparing_event_on[match(d$person_id, cohort$person_id)])
gray("relapse_by_hsct", d, ifelse(is.na(d$on), "no", "yes"))
# On a day with both, a transplant comes after a relapse.
day <- pmax(as.numeric(d$on - as.Date(d$start_on)), 0)
day[d$status == 1 & !is.na(day) & day == d$days] <- NA
for (cause in 1:2) {
    rows <- split_rows(d$days, as.numeric(d$status == cause), day)
    analysis <- c("cause_specific.relapse_by_hsct", "cause_specific.relapse_by_hsct.competing")[cause]
    hazard(analysis, "yes against no", Surv(start, stop, event) ~ x, rows, rows$x)
}

response <- table_of("response")
for (group in every_group) {
    d <- of_group(response, group)
    for (name in c("remission", "overall")) {
        analysis <- paste0("response.", name)
        x <- sum(d[[paste0("is_", name)]] == "true"); n <- nrow(d); p <- x / n
        half <- qnorm(0.975) * sqrt(p * (1 - p) / n)
        limits <- list("clopper-pearson" = binom.test(x, n)$conf.int, wald = p + c(-half, half),
            wilson = suppressWarnings(prop.test(x, n, correct = FALSE))$conf.int)
        for (method in names(limits)) add(analysis, group, "", c("percent", "ci_low", "ci_high"), method,
            100 * c(p, limits[[method]]))
    }
    for (name in c("age", "age_at_diagnosis", "prior_regimens")) {
        values <- of_group(cohort, group)[[name]]
        values <- values[!is.na(values)]
        quartiles <- quantile(values, c(0.25, 0.75), type = 7)
        add(paste0("baseline.", name), group, "", c("median", "mean", "sd", "q1", "q3"), "",
            c(median(values), mean(values), sd(values), quartiles))
    }
}
both <- response[response$investigator_response != "", ]
levels <- c("CR", "CRp", "PR", "NR", "NE")
counts <- table(factor(both$best_response, levels), factor(both$investigator_response, levels)) / nrow(both)
chance <- sum(rowSums(counts) * colSums(counts))
add("response.agreement", "all", "", c("observed_percent", "kappa"), "",
    c(100 * sum(diag(counts)), (sum(diag(counts)) - chance) / (1 - chance)))
x <- sum(response$is_remission == "true"); n <- nrow(response)
test <- binom.test(x, n, 0.3, "greater", 0.975)
add("decision", "all", "remission", c("p", "bound"), "", c(test$p.value, 100 * test$conf.int[1]))

events <- table_of("events"); at_risk <- table_of("at_risk")
kinds <- list(any = TRUE, grade_3_plus = events$grade %in% 3:5, serious = events$is_serious == "true",
    related = events$is_related == "true", fatal = events$is_fatal == "true")
rate <- function(name, count, days) {
    test <- poisson.test(count, sum(days) / 365.25 / 100)
    add(paste0("rate.", name), "all", "", c("rate", "ci_low", "ci_high"), "garwood", c(test$estimate, test$conf.int))
}
for (name in names(kinds)) {
    chosen <- events[kinds[[name]], ]
    start <- as.Date(at_risk$starts_on[match(chosen$person_id, at_risk$person_id)])
    onset <- as.Date(ifelse(chosen$onset_on == "", as.character(start), chosen$onset_on))
    first <- tapply(as.numeric(onset - start) + 1, chosen$person_id, min)
    days <- pmin(at_risk$days, pmax(first[at_risk$person_id], 1), na.rm = TRUE)
    rate(name, length(first), days)
    if (name == "any") rate("all_events", nrow(chosen), at_risk$days)
    if (name == "grade_3_plus") rate("all_grade_3_plus", nrow(chosen), at_risk$days)
}
write.csv(do.call(rbind, out), arguments[2], row.names = FALSE)
"""


def statistics_in_r(warehouse: Path, folder: Path) -> dict[Key, float | None]:
    """Every estimate, limit and p that R gives of the demo's cohort; None where R gives NA."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for name, query in TABLES.items():
            connection.execute(f"copy ({query}) to '{folder / name}.csv' (header)")
    program, answers = folder / "demo.R", folder / "answers.csv"
    program.write_text(SCRIPT, encoding="utf-8")
    command = ["Rscript", "--vanilla", str(program), str(folder), str(answers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with answers.open(newline="", encoding="utf-8") as file:
        return {
            (row["analysis"], row["group"], row["level"], row["statistic"], row["method"]): _number(
                row["value"]
            )
            for row in csv.DictReader(file)
        }


def _number(text: str) -> float | None:
    return None if text in ("NA", "NaN", "Inf", "-Inf") else float(text)
