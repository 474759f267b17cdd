"""The curves of the study on real data as R's `survival` and `cmprsk` give them."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

from tests.end_to_end.mimic_by_hand import SURVIVAL_WEEKS, VENTILATION_WEEKS, Course, Key

# Limits of an incidence: cuminc's variance, on the scale of log(-log(incidence)), as in cmprsk's own papers.
SCRIPT = """
suppressMessages({library(survival); library(cmprsk)})
arguments <- commandArgs(TRUE)
d <- read.csv(arguments[1])
weeks <- as.numeric(strsplit(arguments[3], " ")[[1]])
ventilation_weeks <- as.numeric(strsplit(arguments[4], " ")[[1]])
out <- NULL
add <- function(analysis, level, statistic, method, value) out <<- rbind(out, data.frame(
    analysis, level, statistic, method, value = sprintf("%.17g", value)))

curve <- survfit(Surv(days, died) ~ 1, d, conf.type = "log-log")
follow_up <- survfit(Surv(days, 1 - died) ~ 1, d, conf.type = "log-log")
for (name in c("overall_survival", "follow_up")) {
    half <- quantile(if (name == "follow_up") follow_up else curve, 0.5)
    add(name, "", c("median", "ci_low", "ci_high"), "km log-log", c(half$quantile, half$lower, half$upper) / 7)
}
at <- summary(curve, times = 7 * weeks)
level <- paste0("week_", weeks)
add("overall_survival", level, "survival", "km log-log", at$surv)
add("overall_survival", level, "ci_low", "km log-log", at$lower)
add("overall_survival", level, "ci_high", "km log-log", at$upper)
add("overall_survival", level, "at_risk", "", at$n.risk)

at <- timepoints(cuminc(d$ventilation_days, d$cause), 7 * ventilation_weeks)
incidence <- at$est["1 1", ]
half_width <- qnorm(0.975) * sqrt(at$var["1 1", ]) / (incidence * log(incidence))
level <- paste0("week_", ventilation_weeks)
add("ventilation_incidence", level, "incidence", "aalen-johansen", incidence)
add("ventilation_incidence", level, "ci_low", "aalen-johansen", incidence ^ exp(-half_width))
add("ventilation_incidence", level, "ci_high", "aalen-johansen", incidence ^ exp(half_width))
write.csv(out, arguments[2], row.names = FALSE)
"""


def curves(treated: list[Course], folder: Path) -> dict[Key, float]:
    """Medians, survival, numbers at risk and incidences with their limits, from times in days."""
    times, answers, program = folder / "times.csv", folder / "answers.csv", folder / "curves.R"
    with times.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["days", "died", "ventilation_days", "cause"])
        writer.writerows([c.days, int(c.died), *c.until_ventilation] for c in treated)
    program.write_text(SCRIPT)
    weeks = [" ".join(map(str, numbers)) for numbers in (SURVIVAL_WEEKS, VENTILATION_WEEKS)]
    command = ["Rscript", "--vanilla", str(program), str(times), str(answers), *weeks]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with answers.open(newline="") as file:
        return {
            (row["analysis"], row["level"], row["statistic"], row["method"]): float(row["value"])
            for row in csv.DictReader(file)
        }
